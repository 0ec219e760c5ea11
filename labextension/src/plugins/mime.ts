import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { rendererFactory } from '../mimeRenderer';

/** Measurements in outputs; rank 0 puts it before the HTML that the same outputs hold. */
const plugin: JupyterFrontEndPlugin<void> = {
  id: 'greennb:mime',
  description: 'Shows measurements in cell outputs.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  optional: [ITranslator],
  activate: (_app: JupyterFrontEnd, registry: IRenderMimeRegistry, translator: ITranslator | null) =>
    registry.addFactory(rendererFactory((translator ?? nullTranslator).load('greennb')), 0)
};

export default plugin;
