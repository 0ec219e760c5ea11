/** What greennb knows of one notebook: its link to the kernel, and what came over it. */
import type { ISessionContext } from '@jupyterlab/apputils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import { Runs, insertByTime } from './cells';
import type { IAccount } from './cells';
import { setAside, shown, withDismissal, withoutDismissal } from './dismissals';
import { KernelLink } from './link';
import { isReplaced } from './linkEvents';
import { type INotebookMemory, NotebookMemory } from './metadata';
import { ModelEvents } from './modelEvents';
import { cellIds, insertCode, jumpTo, withCells } from './notebookCells';
import { PowerHistory } from './power';
import { Soon } from './soon';
import { Trials } from './trials';
import { Watching } from './watching';
import type {
  ICellCost,
  ILinkState,
  INotebookEnergy,
  IPanelSettings,
  IRun,
  IRunning,
  ISetAside,
  ITotal,
  NextStep
} from './tokens';
import type {
  IEnded,
  IFinding,
  IHello,
  IHistory,
  ISessionTotal,
  ISettingsInForce,
  IWaste,
  StreamMessage
} from './wire';

/** States in which what greennb did in the kernel's process is over; out of reach, it may go on. */
const PROCESS_ENDED = new Set<string>(['dead', 'no-kernel', 'not-loaded', 'restarting']);

export interface INotebookEnergyOptions {
  panel: NotebookPanel;
  settings(): IPanelSettings;
  dialogs: ISessionContext.IDialogs;
  trans: TranslationBundle;
}

export class NotebookEnergy implements INotebookEnergy {
  constructor(private readonly _options: INotebookEnergyOptions) {
    const { panel, settings, dialogs, trans } = _options;
    this.link = new KernelLink({
      session: panel.context.sessionContext,
      dialogs,
      trans,
      autoStart: () => settings().autoStart
    });
    this._memory = new NotebookMemory(panel);
    this._watching = new Watching({
      link: this.link,
      power: this.power,
      settings,
      load: it => this._load(it),
      dismissed: () => [...this._memory.now.never, ...this._memory.now.dismissed]
    });
    this.trials = new Trials({
      ...{ panel, trans, link: this.link },
      cost: id => this.cells.find(cell => cell.id === id)
    });
    this.link.stateChanged.connect(this._onState, this);
    this.link.connecting.connect(this._onConnecting, this);
    this.link.greeted.connect(this._onGreeted, this);
    this.link.said.connect(this._onSaid, this);
    panel.context.sessionContext.kernelChanged.connect(this._onKernelChanged, this);
    panel.disposed.connect(this.dispose, this);
    this.power.longest_s = 60 * settings().history_min;
    this._modelEvents = new ModelEvents(panel, {
      replaced: () => this._cellsHaveChanged(),
      cells: () => this._runs.all.length > 0 && this._cellsHaveChanged(),
      memory: () => this._memoryHasChanged()
    });
    this._cellsHaveChanged();
  }

  get panel(): NotebookPanel {
    return this._options.panel;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  get state(): ILinkState {
    return this.link.state;
  }

  get stateChanged(): ISignal<INotebookEnergy, ILinkState> {
    return this._stateChanged;
  }

  get did(): string {
    return [this.link.did, this._watching.refusal].filter(Boolean).join(' ');
  }

  act(step: NextStep): Promise<void> {
    return this.link.act(step);
  }

  async setMeasure(on: boolean): Promise<void> {
    await this.link.ask('set', { measure: on });
  }

  get hello(): IHello | null {
    return this._hello;
  }

  get settings(): ISettingsInForce | null {
    return this._inForce;
  }

  get factsChanged(): ISignal<INotebookEnergy, void> {
    return this._factsChanged;
  }

  get sampled(): ISignal<INotebookEnergy, void> {
    return this._sampled;
  }

  get cells(): readonly ICellCost[] {
    return this._accounted().cells;
  }

  get notebookTotal(): ITotal {
    return this._accounted().total;
  }

  get runs(): readonly IRun[] {
    return this._bands;
  }

  get running(): IRunning | null {
    return this._running;
  }

  get sessionTotal(): ISessionTotal | null {
    return this._session;
  }

  get cellsChanged(): ISignal<INotebookEnergy, void> {
    return this._cellsChanged;
  }

  get waste(): readonly IWaste[] {
    return this._waste;
  }

  get findings(): readonly IFinding[] {
    return shown(this._findings, this._memory.now);
  }

  get setAside(): readonly ISetAside[] {
    return setAside(this._findings, this._memory.now);
  }

  get remembers(): boolean {
    return this._memory.isWritable;
  }

  get adviceChanged(): ISignal<INotebookEnergy, void> {
    return this._adviceChanged;
  }

  dismiss(finding: IFinding, always: boolean): void {
    this._remember(withDismissal(this._memory.now, finding, always));
  }

  restore(item: ISetAside): void {
    this._remember(withoutDismissal(this._memory.now, item));
  }

  get budget_j(): number | null {
    return this._memory.now.budget_j ?? this._options.settings().budget_j;
  }

  setBudget(budget_j: number | null): void {
    this._remember({ ...this._memory.now, budget_j });
  }

  jumpTo(cellId: string): boolean {
    return jumpTo(this.panel, cellId);
  }

  insertCode(code: string, cellId: string | null = null): void {
    insertCode(this.panel, code, cellId);
  }

  exported(): IRun[] {
    return withCells(this.panel, this._runs.all);
  }

  /** Samples a second that somebody looks at; 0 for none. */
  set pace_hz(pace_hz: number) {
    this._watching.pace_hz = pace_hz;
  }

  /** The user's settings have changed. */
  settingsChanged(): void {
    this.power.longest_s = 60 * this._options.settings().history_min;
    this.link.settingsChanged();
    this._watching.settingsChanged();
    this._cellsSoon.please(); // the budget may be another
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    const { panel } = this;
    panel.disposed.disconnect(this.dispose, this);
    panel.context.sessionContext.kernelChanged.disconnect(this._onKernelChanged, this);
    this._modelEvents.dispose();
    this._watching.dispose();
    this.trials.dispose();
    this.link.dispose();
    [this._cellsSoon, this._factsSoon, this._adviceSoon].forEach(it => it.dispose());
    Signal.clearData(this);
  }

  readonly power = new PowerHistory();
  readonly link: KernelLink;
  readonly trials: Trials;

  private _accounted(): IAccount {
    this._account ??= this._runs.account(cellIds(this.panel), this._running?.window ?? null);
    return this._account;
  }

  private _onState(_: KernelLink, state: ILinkState): void {
    if (PROCESS_ENDED.has(state.kind)) {
      this.trials.forget();
    }
    if (state.kind !== 'live' && state.kind !== 'busy') {
      this.power.silence();
      this._running = null;
      this._setAdvice([], this._findings);
      this._cellsHaveChanged();
    }
    this._stateChanged.emit(state);
  }

  private _onConnecting(): void {
    this._running = null; // the kernel says so again if a cell still runs
    this._cellsHaveChanged();
  }

  private _onKernelChanged(_: unknown, change: { oldValue: unknown; newValue: unknown }): void {
    if (!isReplaced(change)) {
      return;
    }
    this._hello = this._inForce = this._session = null;
    this._setAdvice([], []);
    this._factsSoon.please();
    this._cellsHaveChanged();
  }

  private _onGreeted(_: KernelLink, hello: IHello): void {
    if (hello.session !== this._hello?.session) {
      this.trials.forget();
      this._session = null;
      this._setAdvice([], []);
    }
    const clockGoesOn = hello.host === this._host && !(hello.t_s < this.power.last_s);
    if (!clockGoesOn) {
      this.power.clear();
      this._bands = [];
    }
    this._host = hello.host;
    this._meet(hello);
    this.power.heard(hello.t_s);
    this._watching.begin(hello);
    this._cellsHaveChanged();
  }

  private _meet(hello: IHello): void {
    this._hello = hello;
    this._inForce = hello.settings;
    this.power.setDomains(hello.domains.map(({ id }) => id));
    this._factsSoon.please();
  }

  private _onSaid(_: KernelLink, message: StreamMessage): void {
    switch (message.type) {
      case 'samples':
        if (this.power.add(message)) {
          this._sampled.emit();
        }
        break;
      case 'began':
        this._running = { ...message };
        this._cellsHaveChanged();
        break;
      case 'ended':
        this._end(message);
        this._session = message.session;
        break;
      case 'hello':
        this._meet(message);
        break;
      case 'settings':
        this._inForce = message;
        this._factsSoon.please();
        break;
      case 'waste':
        this._setAdvice(message.items, this._findings);
        break;
      case 'findings':
        this._setAdvice(this._waste, message.findings);
        break;
      case 'trial':
        this.trials.heard(message);
        break;
      case 'bye':
        break; // the link says so
    }
  }

  private _load(history: IHistory): void {
    history.cells.forEach(cell => this._end(cell));
    this._session = history.session;
    this.power.load(history.t_s, history.w);
    this._cellsHaveChanged();
    this._sampled.emit();
  }

  private _end({ t0_s, t1_s, source, measurement }: IEnded): void {
    if (this._running?.window === measurement.id) {
      this._running = null;
    }
    const run: IRun = { t0_s, t1_s, source, measurement };
    if (this._runs.add(run)) {
      insertByTime(this._bands, run);
      this._bands.splice(0, this._bands.length - this._runs.all.length); // never more than are remembered
    }
    this._cellsHaveChanged();
  }

  private _setAdvice(waste: readonly IWaste[], findings: readonly IFinding[]): void {
    this._waste = waste;
    this._findings = findings;
    this._adviceSoon.please();
  }

  private _remember(memory: INotebookMemory): void {
    this._memory.keep(memory);
    this._memoryHasChanged(); // where it is not written, nothing else says so
  }

  private _memoryHasChanged(): void {
    [this._cellsSoon, this._adviceSoon].forEach(it => it.please());
    this._watching.dismissedChanged();
  }

  private _cellsHaveChanged(): void {
    this._account = null;
    this._cellsSoon.please();
  }

  private readonly _modelEvents: ModelEvents;
  private readonly _watching: Watching;
  private readonly _memory: NotebookMemory;
  private readonly _runs = new Runs();
  private _bands: IRun[] = [];
  private _account: IAccount | null = null;
  private _running: IRunning | null = null;
  private _hello: IHello | null = null;
  private _host = '';
  private _inForce: ISettingsInForce | null = null;
  private _session: ISessionTotal | null = null;
  private _waste: readonly IWaste[] = [];
  private _findings: readonly IFinding[] = [];
  private _isDisposed = false;
  private _stateChanged = new Signal<INotebookEnergy, ILinkState>(this);
  private _factsChanged = new Signal<INotebookEnergy, void>(this);
  private _sampled = new Signal<INotebookEnergy, void>(this);
  private _cellsChanged = new Signal<INotebookEnergy, void>(this);
  private _adviceChanged = new Signal<INotebookEnergy, void>(this);
  private _factsSoon = new Soon(() => this._factsChanged.emit());
  private _cellsSoon = new Soon(() => this._cellsChanged.emit());
  private _adviceSoon = new Soon(() => this._adviceChanged.emit());
}
