/** Measurements in cell outputs: drawn from the output's JSON alone, so that they last longer than any kernel. */
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { draw } from './mime/draw';
import { MIME_TYPE } from './wire';

/** A factory of renderers for the registry of MIME types. What they draw is text and boxes, whoever wrote the output. */
export function rendererFactory(trans: TranslationBundle): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [MIME_TYPE],
    createRenderer: () => new EnergyRenderer(trans)
  };
}

/** One output. */
export class EnergyRenderer extends Widget implements IRenderMime.IRenderer {
  constructor(private readonly _trans: TranslationBundle) {
    super();
    this.addClass('gnb-Output');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.node.replaceChildren(...draw(model.data, this._trans));
  }
}
