import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISessionContextDialogs, SessionContextDialogs } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { EnergyModel } from '../model';
import { SETTINGS_ID } from '../settings';
import { IEnergyModel } from '../tokens';

/** The model that all other plugins look at; its settings are the user's settings of greennb. */
const plugin: JupyterFrontEndPlugin<IEnergyModel> = {
  id: SETTINGS_ID,
  description: 'What each notebook cost, and the live power of the machine of the kernel in front.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ISettingRegistry, ISessionContextDialogs, ITranslator],
  provides: IEnergyModel,
  activate: async (
    _app: JupyterFrontEnd,
    tracker: INotebookTracker,
    registry: ISettingRegistry | null,
    dialogs: ISessionContextDialogs | null,
    translator: ITranslator | null
  ): Promise<IEnergyModel> => {
    const settings = await registry?.load(SETTINGS_ID).catch(() => null);
    const model = new EnergyModel({
      tracker,
      dialogs: dialogs ?? new SessionContextDialogs({ translator: translator ?? nullTranslator }),
      trans: (translator ?? nullTranslator).load('greennb')
    });
    if (settings) {
      model.useSettings(settings);
    }
    return model;
  }
};

export default plugin;
