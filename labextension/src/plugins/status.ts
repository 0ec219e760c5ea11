import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commandIds';
import { StatusItem } from '../statusItem';
import { IEnergyModel } from '../tokens';

/** Watts and the session's joules in the status bar, where there is one: Notebook has none. */
const plugin: JupyterFrontEndPlugin<void> = {
  id: 'greennb:status',
  description: 'Shows power and energy in the status bar.',
  autoStart: true,
  requires: [IEnergyModel],
  optional: [IStatusBar, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IEnergyModel,
    statusBar: IStatusBar | null,
    translator: ITranslator | null
  ) => {
    if (statusBar === null) {
      return;
    }
    const trans = (translator ?? nullTranslator).load('greennb');
    const item = new StatusItem(model, () => void app.commands.execute(CommandIDs.showPanel), trans);
    statusBar.registerStatusItem('greennb:status', {
      item,
      align: 'right',
      rank: 900,
      isActive: () => item.isActive,
      activeStateChanged: item.activeChanged
    });
  }
};

export default plugin;
