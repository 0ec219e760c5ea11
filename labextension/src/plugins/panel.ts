/** The leaf in the right sidebar. */
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IThemeManager } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { PANEL_ID } from '../commands';
import { leafIcon } from '../icons';
import { ownParts } from '../panels/registry';
import { Sidebar } from '../panels/sidebar';
import { IEnergyModel } from '../tokens';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'greennb:panel',
  description: 'The sidebar: live power, and what each cell of the notebook cost.',
  autoStart: true,
  requires: [IEnergyModel],
  optional: [ILayoutRestorer, ITranslator, IThemeManager],
  activate: (
    app: JupyterFrontEnd,
    model: IEnergyModel,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null,
    themes: IThemeManager | null
  ) => {
    const trans = (translator ?? nullTranslator).load('greennb');
    const panel = new Sidebar({
      model,
      trans,
      parts: ownParts(),
      themeChanged: themes?.themeChanged ?? null,
      execute: command => void app.commands.execute(command).catch(console.error)
    });
    panel.id = PANEL_ID;
    panel.title.icon = leafIcon;
    panel.title.caption = trans.__('Energy: what this notebook’s cells cost');
    app.shell.add(panel, 'right', { rank: 700, type: 'Energy' });
    restorer?.add(panel, PANEL_ID);
  }
};

export default plugin;
