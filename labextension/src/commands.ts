/** What can be done from the command palette, the menus and the other parts of the page. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { InputDialog, showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { DisposableSet } from '@lumino/disposable';

import { CommandIDs } from './commandIds';
import { byCost, nextDearest } from './dearest';
import { toCsv, toJson } from './export';
import { amount } from './words';
import { parseJoules } from './joules';
import type { IEnergyModel, INotebookEnergy, IRun } from './tokens';

/** The id of the panel's widget in the shell. */
export const PANEL_ID = 'greennb-panel';

const NO_ARGS: ReadonlyJSONObject = { type: 'object', properties: {} };

/** Register the commands; the answer takes them back. */
export function addCommands(
  app: JupyterFrontEnd,
  model: IEnergyModel,
  trans: TranslationBundle
): IDisposable {
  const added = new DisposableSet();
  const add = (id: string, options: Options): void =>
    added.add(app.commands.addCommand(id, { describedBy: { args: NO_ARGS }, ...options }));
  addViewCommands(add, app, model, trans);
  addNotebookCommands(add, model, trans);
  addExportCommands(add, model, trans);
  return added;
}

type Options = Parameters<JupyterFrontEnd['commands']['addCommand']>[1];
type Add = (id: string, options: Options) => void;

function addViewCommands(
  add: Add,
  app: JupyterFrontEnd,
  model: IEnergyModel,
  trans: TranslationBundle
): void {
  add(CommandIDs.showPanel, {
    label: trans.__('Show Energy Panel'),
    caption: trans.__('What the machine draws now, and what each cell of the notebook cost'),
    execute: () => app.shell.activateById(PANEL_ID)
  });
  add(CommandIDs.toggleBadges, {
    label: trans.__('Show Energy at Cells'),
    caption: trans.__('A badge beside each measured cell, with the joules of its latest run'),
    isToggleable: true,
    isToggled: () => model.settings.badges,
    execute: () => model.set('badges', !model.settings.badges)
  });
  add(CommandIDs.openSettings, {
    label: trans.__('Energy Settings…'),
    isEnabled: () => app.commands.hasCommand('settingeditor:open'),
    execute: () => app.commands.execute('settingeditor:open', { query: 'greennb' })
  });
}

function addNotebookCommands(add: Add, model: IEnergyModel, trans: TranslationBundle): void {
  const loads = (): boolean => model.current?.state.step === 'load' || model.current?.state.step === 'retry';
  add(CommandIDs.load, {
    label: trans.__('Load greennb into the Kernel'),
    caption: trans.__('As %load_ext greennb would'),
    isEnabled: loads,
    execute: () => model.current?.act(model.current.state.step)
  });
  add(CommandIDs.measureCells, {
    label: trans.__('Measure Every Cell'),
    caption: trans.__('Off: only cells that begin with %1 are measured', '%%energy'),
    isEnabled: () => model.current?.state.kind === 'live' && model.current.settings !== null,
    isToggleable: true,
    isToggled: () => model.current?.settings?.measure ?? false,
    execute: () => model.current?.setMeasure(!model.current.settings?.measure)
  });
  add(CommandIDs.setBudget, {
    label: trans.__('Set Energy Budget of the Notebook…'),
    caption: trans.__('How much this notebook may use; kept in the notebook'),
    describedBy: { args: BUDGET_ARGS },
    isEnabled: () => model.current !== null,
    execute: async args => {
      const energy = model.current;
      if (energy !== null) {
        const given = typeof args.budget === 'string' ? args.budget : await askBudget(energy, trans);
        await setBudget(energy, given, trans);
      }
    }
  });
  add(CommandIDs.jumpToCell, {
    label: trans.__('Go to the Costliest Cell'),
    describedBy: { args: JUMP_ARGS },
    isEnabled: args => typeof args.id === 'string' || hasCosts(model),
    execute: args => {
      const id = typeof args.id === 'string' ? args.id : byCost(model.current?.cells ?? [])[0]?.id;
      return id !== undefined && (model.current?.jumpTo(id) ?? false);
    }
  });
  add(CommandIDs.jumpToNext, {
    label: trans.__('Go to the Next Costliest Cell'),
    isEnabled: () => hasCosts(model),
    execute: () => {
      const energy = model.current;
      const active = energy?.panel.content.activeCell?.model.id ?? null;
      const next = nextDearest(energy?.cells ?? [], active);
      return next !== null && (energy?.jumpTo(next.id) ?? false);
    }
  });
}

function addExportCommands(add: Add, model: IEnergyModel, trans: TranslationBundle): void {
  const exporting = (extension: string, type: string, write: (runs: IRun[], notebook: string) => string) => ({
    isEnabled: () => (model.current?.runs.length ?? 0) > 0,
    execute: () => {
      if (model.current !== null) {
        const { panel } = model.current;
        const name = panel.context.localPath.replace(/^.*\//, '');
        const stem = name.replace(/\.ipynb$/, '');
        offer(`${stem}.energy.${extension}`, type, write(model.current.exported(), name));
      }
    }
  });
  add(CommandIDs.exportJson, {
    label: trans.__('Export Energy as JSON'),
    ...exporting('json', 'application/json', toJson)
  });
  add(CommandIDs.exportCsv, {
    label: trans.__('Export Energy as CSV'),
    ...exporting('csv', 'text/csv', toCsv)
  });
}

const BUDGET_ARGS: ReadonlyJSONObject = {
  type: 'object',
  properties: {
    budget: {
      type: 'string',
      description:
        'The budget, as "20 kJ", "500" (joules) or "2 Wh"; "" removes it. Asked for where it is not given.'
    }
  }
};

const JUMP_ARGS: ReadonlyJSONObject = {
  type: 'object',
  properties: {
    id: {
      type: 'string',
      description: "The cell's id. The dearest cell of the notebook where it is not given."
    }
  }
};

function hasCosts(model: IEnergyModel): boolean {
  return byCost(model.current?.cells ?? []).length > 0;
}

/** What the user typed; null where they called it off. */
async function askBudget(energy: INotebookEnergy, trans: TranslationBundle): Promise<string | null> {
  const { value, button } = await InputDialog.getText({
    title: trans.__('Energy budget of this notebook'),
    label: trans.__('For instance 20 kJ, 500 (joules) or 2 Wh. Empty: no budget.'),
    text: energy.budget_j === null ? '' : amount(energy.budget_j, null, 'J'),
    okLabel: trans.__('Set')
  });
  return button.accept ? (value ?? '') : null;
}

async function setBudget(
  energy: INotebookEnergy,
  given: string | null,
  trans: TranslationBundle
): Promise<void> {
  if (given === null || energy.isDisposed) {
    return;
  }
  const budget_j = parseJoules(given);
  if (budget_j === null && given.trim() !== '') {
    await showErrorMessage(
      trans.__('This is no amount of energy'),
      trans.__('Write for instance 20 kJ, 500 (joules) or 2 Wh, without separators of thousands.')
    );
    return;
  }
  energy.setBudget(budget_j);
}

/** Let the browser save a text as a file. */
function offer(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000); // the browser reads it after the click
}
