/**
 * What the plugins know of one another: interfaces and tokens, nothing else. The model emits signals, views only listen.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';
import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';

import type { ITrials } from './tokensTrial';
import type {
  IFault,
  IFinding,
  IGauge,
  IHello,
  IMeasurement,
  ISessionTotal,
  ISettingsInForce,
  IWaste
} from './wire';

/** Where the link to a notebook's kernel stands. */
export type LinkKind =
  | 'no-kernel'
  | 'not-python'
  | 'not-installed'
  | 'not-loaded' // greennb is there, autoStart is off
  | 'connecting'
  | 'busy' // a cell runs, and greennb answers once it has ended
  | 'live'
  | 'restarting'
  | 'dead'
  | 'disconnected' // the server cannot be reached
  | 'too-old' // the kernel's greennb is older than this page
  | 'too-new' // the kernel's greennb is newer than this page
  | 'failed'; // greennb is there and could not be loaded

/** What a user can do about a state. */
export type NextStep = 'start-kernel' | 'load' | 'retry' | 'restart' | 'reload-page' | null;

/** A state in words: one plain sentence, and the next step. */
export interface ILinkState {
  kind: LinkKind;
  /** The sentence, translated. */
  sentence: string;
  /** A command to copy, for instance to install greennb into this kernel; "" where there is none. */
  command: string;
  /** The step that a button offers, with its label; null where there is nothing to press. */
  step: NextStep;
  stepLabel: string;
}

/** The latest watts, in the order of `hello.domains`. */
export interface ILatest {
  t_s: number;
  watts: readonly (number | null)[];
  low: readonly (number | null)[];
  high: readonly (number | null)[];
  gauges: readonly IGauge[];
  faults: readonly IFault[];
}

/** A stretch of power history, in bins of equal width; NaN is no reading. */
export interface IPowerView {
  /** The middle of each bin in kernel seconds, ascending. */
  t_s: Float64Array;
  /** Mean watts of each domain (outer, as in `hello.domains`) in each bin (inner). */
  watts: readonly Float32Array[];
  /** The width of a bin in seconds. */
  bin_s: number;
}

/** The power of the last hour, at three resolutions, in memory that does not grow. */
export interface IPowerHistory {
  readonly latest: ILatest | null;
  /** Grows with each sample that comes in. */
  readonly version: number;
  /** The kernel's monotonic clock now, as far as this page knows; NaN before the first sample. */
  now_s(): number;
  /** The bins of the last `span_s` seconds before `now_s()`. */
  view(span_s: number): IPowerView;
}

/** One run of a cell, measured. */
export interface IRun {
  t0_s: number;
  t1_s: number;
  source: string;
  measurement: IMeasurement;
  /** In an export: the cell's place in the notebook, from 0 (-1 where it is gone), and all of its code. */
  cell_index?: number;
  cell_source?: string;
}

/** A cell that runs now. */
export interface IRunning {
  window: string;
  cell_id: string | null;
  t_s: number;
  label: string;
  count: number | null;
}

/** How a cell's latest run differs from the one before. */
export interface IChange {
  /** Relative: -0.38 is 38 % less. */
  ratio: number;
  /** Whether the two 95 % intervals lie apart; otherwise no difference is shown. */
  distinct: boolean;
}

/** A cell of this notebook with its latest run. */
export interface ICellCost {
  /** The page's `cell.model.id`, or the window's id where there is none. */
  id: string;
  /** Position in the notebook, from 0; -1 where the cell is gone. */
  index: number;
  run: IRun;
  runs: number;
  change: IChange | null;
  /** Share of the notebook's joules, 0 to 1; null where that is unknown. */
  share: number | null;
}

/** Joules of several runs together, by the rules of greennb/model/total.py: of the session's runs, or of others. */
export type ITotal = ISessionTotal;

/** A finding, or all of a rule's, that this notebook does not want to see. */
export interface ISetAside {
  /** How the notebook remembers it: the finding's key, or the rule's code. */
  name: string;
  /** Whether the rule is never shown here. */
  always: boolean;
  /** The finding, or one of the rule's; null where this kernel has found none. */
  finding: IFinding | null;
}

/** Whose power is shown: a notebook's kernel, or the server's machine. */
export interface IPowered {
  /** The facts; null until they have been said. */
  readonly hello: IHello | null;
  readonly factsChanged: ISignal<unknown, void>;
  readonly stateChanged: ISignal<unknown, unknown>;
  readonly power: IPowerHistory;
  /** New samples are in `power`. */
  readonly sampled: ISignal<unknown, void>;
  /** Runs for the chart's bands, oldest first. */
  readonly runs: readonly IRun[];
  readonly running: IRunning | null;
  /** Scroll to a cell and select it; false where it is gone. */
  jumpTo(cellId: string): boolean;
}

/** What greennb knows of one notebook. */
export interface INotebookEnergy extends IPowered, IDisposable {
  readonly panel: NotebookPanel;

  readonly state: ILinkState;
  readonly stateChanged: ISignal<INotebookEnergy, ILinkState>;
  /** One sentence on what greennb did by itself (loaded itself into the kernel); "" where it did nothing. */
  readonly did: string;
  /** Take the next step of the present state. */
  act(step: NextStep): Promise<void>;
  /** Have every cell measured, or only those that begin with `%%energy`. Rejects where the kernel does not answer. */
  setMeasure(on: boolean): Promise<void>;

  /** The kernel's facts; null until it has said them. */
  readonly hello: IHello | null;
  readonly settings: ISettingsInForce | null;
  /** Facts or settings have changed. */
  readonly factsChanged: ISignal<INotebookEnergy, void>;

  readonly power: IPowerHistory;
  /** New samples are in `power`. */
  readonly sampled: ISignal<INotebookEnergy, void>;

  /** Cells of the notebook that have been measured, in the notebook's order; deleted cells are left out. */
  readonly cells: readonly ICellCost[];
  /** Runs for the chart's bands, oldest first, also of cells that are gone. */
  readonly runs: readonly IRun[];
  readonly running: IRunning | null;
  /** The cells as they stand: the latest run of each. */
  readonly notebookTotal: ITotal;
  /** Everything that this kernel ran, re-runs included. */
  readonly sessionTotal: ISessionTotal | null;
  readonly cellsChanged: ISignal<INotebookEnergy, void>;

  readonly waste: readonly IWaste[];
  /** Those that are shown, in the kernel's order: the most at stake first. */
  readonly findings: readonly IFinding[];
  /** Those that are not. */
  readonly setAside: readonly ISetAside[];
  /** Waste or findings have changed. */
  readonly adviceChanged: ISignal<INotebookEnergy, void>;
  /** Take a finding off the list; with `always` never show its rule in this notebook again. */
  dismiss(finding: IFinding, always: boolean): void;
  /** Show it again. */
  restore(setAside: ISetAside): void;
  /** Whether dismissals go into the notebook's file; false where it is read-only, and they end with the page. */
  readonly remembers: boolean;

  /** What was tried of the findings here. */
  readonly trials: ITrials;

  /** The notebook's budget in joules: its metadata, else the setting; null where there is none. */
  readonly budget_j: number | null;
  setBudget(budget_j: number | null): void;

  /** Scroll to a cell and select it; false where it is gone. */
  jumpTo(cellId: string): boolean;
  /** Put code into a new cell below `cellId`, or the active one where there is no such cell, without running it. */
  insertCode(code: string, cellId?: string | null): void;
  /** Everything that was measured, for export. */
  exported(): IRun[];
}

/** The user's settings of the panel (schema/plugin.json). */
export interface IPanelSettings {
  autoStart: boolean;
  rate_hz: number;
  units: 'J' | 'Wh';
  badges: boolean;
  heat: boolean;
  budget_j: number | null;
  zone: string;
  /** 0 leaves it to the kernel. */
  pue: number;
  history_min: number;
}

/** greennb in this JupyterLab: one model, whatever the number of views. */
export interface IEnergyModel extends IDisposable {
  /** The notebook in front; null where there is none. */
  readonly current: INotebookEnergy | null;
  readonly currentChanged: ISignal<IEnergyModel, INotebookEnergy | null>;
  /** Of every open notebook. */
  of(panel: NotebookPanel): INotebookEnergy | null;
  readonly added: ISignal<IEnergyModel, INotebookEnergy>;

  /** The machine of the Jupyter server, for when no kernel tells of one. */
  readonly host: IPowered;

  readonly settings: IPanelSettings;
  readonly settingsChanged: ISignal<IEnergyModel, IPanelSettings>;
  /** Write one setting to the user's settings. */
  set<K extends keyof IPanelSettings>(name: K, value: IPanelSettings[K]): Promise<void>;

  /** Ask for live samples of the current notebook, or of the host, as long as the answer is not disposed; none come while the page is hidden. */
  watch(): IDisposable;
}

export const IEnergyModel = new Token<IEnergyModel>(
  'greennb:IEnergyModel',
  'What each notebook cost, and the live power of the machine of the kernel in front.'
);
