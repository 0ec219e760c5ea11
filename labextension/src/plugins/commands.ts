import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IMainMenu } from '@jupyterlab/mainmenu';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commandIds';
import { addCommands } from '../commands';
import { IEnergyModel } from '../tokens';
import type { INotebookEnergy } from '../tokens';

/** The commands, where they can be found: palette and menus. */
const plugin: JupyterFrontEndPlugin<void> = {
  id: 'greennb:commands',
  description: 'Adds the commands of greennb, also to the command palette and the menus.',
  autoStart: true,
  requires: [IEnergyModel],
  optional: [ICommandPalette, IMainMenu, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IEnergyModel,
    palette: ICommandPalette | null,
    menu: IMainMenu | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('greennb');
    addCommands(app, model, trans);
    keepFresh(app, model);
    for (const command of Object.values(CommandIDs)) {
      palette?.addItem({ command, category: trans.__('greennb') });
    }
    menu?.viewMenu.addGroup([{ command: CommandIDs.showPanel }, { command: CommandIDs.toggleBadges }], 60);
    menu?.kernelMenu.addGroup([{ command: CommandIDs.load }, { command: CommandIDs.measureCells }], 60);
  }
};

/** What a command may do depends on the notebook in front and on the settings. */
function keepFresh(app: JupyterFrontEnd, model: IEnergyModel): void {
  let front: INotebookEnergy | null = null;
  const changed = (): void => Object.values(CommandIDs).forEach(id => app.commands.notifyCommandChanged(id));
  const follow = (): void => {
    front?.stateChanged.disconnect(changed);
    front?.factsChanged.disconnect(changed);
    front = model.current;
    front?.stateChanged.connect(changed);
    front?.factsChanged.connect(changed);
    changed();
  };
  model.currentChanged.connect(follow);
  model.settingsChanged.connect(changed);
  follow();
}

export default plugin;
