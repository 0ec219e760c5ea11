import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { keepKeys } from '../cellBadge';
import { NotebookBadges } from '../cellBadges';
import { CommandIDs } from '../commandIds';
import { IEnergyModel } from '../tokens';
import type { INotebookEnergy } from '../tokens';

/** A badge at every measured cell, as long as the setting `badges` is on. */
const plugin: JupyterFrontEndPlugin<void> = {
  id: 'greennb:badges',
  description: 'Shows beside each measured cell what its latest run cost.',
  autoStart: true,
  requires: [IEnergyModel, INotebookTracker],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IEnergyModel,
    tracker: INotebookTracker,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('greennb');
    const open = (): void => void app.commands.execute(CommandIDs.showPanel);
    const shown = new Map<NotebookPanel, NotebookBadges>();

    const show = (energy: INotebookEnergy): void => {
      const { panel } = energy;
      if (model.settings.badges && !shown.has(panel) && !panel.isDisposed) {
        shown.set(panel, new NotebookBadges(energy, () => model.settings, open, trans));
        panel.disposed.connect(() => shown.delete(panel));
      }
    };
    const showAll = (): void => {
      tracker.forEach(panel => {
        const energy = model.of(panel);
        if (energy) {
          show(energy);
        }
      });
      window.addEventListener('keydown', keepKeys, true); // the same one again changes nothing
    };
    const hideAll = (): void => {
      shown.forEach(badges => badges.dispose());
      shown.clear();
      window.removeEventListener('keydown', keepKeys, true);
    };

    model.added.connect((_, energy) => show(energy));
    model.settingsChanged.connect((_, settings) => {
      if (settings.badges) {
        shown.forEach(badges => badges.update());
        showAll();
      } else {
        hideAll();
      }
    });
    if (model.settings.badges) {
      showAll();
    }
  }
};

export default plugin;
