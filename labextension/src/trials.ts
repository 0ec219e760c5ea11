/**
 * The trials of one notebook: what would be run, how far it is, what it came to, and what was applied of it. The kernel
 * runs a trial as it runs a cell, silently; a page only asks for it and looks on.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import { NoAnswer } from './commClient';
import type { KernelLink } from './link';
import { setSource, sourceOf } from './notebookCells';
import type { IApplied, ICellCost, ITrials, TrialStage } from './tokensTrial';
import type { IChangeOfCell, IPlan, ITrialMessage } from './wire';

/** How long a kernel may take to hear that a trial is to stop, before it is interrupted. */
const STOP_MS = 1000;

const NOTHING: TrialStage = { kind: 'none' };

export interface ITrialsOptions {
  panel: NotebookPanel;
  link: KernelLink;
  trans: TranslationBundle;
  /** What a cell's latest run cost. */
  cost(cellId: string): ICellCost | undefined;
}

export class Trials implements ITrials {
  constructor(private readonly _options: ITrialsOptions) {}

  get changed(): ISignal<ITrials, void> {
    return this._changed;
  }

  get runningKey(): string | null {
    for (const [key, stage] of this._stages) {
      if (stage.kind === 'running') {
        return key;
      }
    }
    return null;
  }

  stage(key: string): TrialStage {
    return this._stages.get(key) ?? NOTHING;
  }

  applied(key: string): IApplied | null {
    return this._applied.get(key) ?? null;
  }

  async plan(key: string, variant?: string): Promise<void> {
    this._set(key, { kind: 'planning' });
    try {
      const answer = await this._options.link.ask('plan', variant === undefined ? { key } : { key, variant });
      if (this.stage(key).kind === 'planning') {
        this._set(key, answer.type === 'plan' ? { kind: 'planned', plan: answer } : NOTHING);
      }
    } catch (error) {
      if (this.stage(key).kind === 'planning') {
        this._fail(key, error); // by now another page's trial may run
      }
    }
  }

  cancel(key: string): void {
    if (this.stage(key).kind !== 'running') {
      this._set(key, NOTHING);
    }
  }

  async run(plan: IPlan): Promise<void> {
    const kernel = this._kernel;
    const { key } = plan;
    if (kernel === null || this.runningKey !== null) {
      return;
    }
    const run = ++this._runs;
    this._unheard = null;
    this._set(key, { kind: 'running', message: null, budget_s: plan.budget_s });
    try {
      const future = kernel.requestExecute({
        code: plan.run,
        silent: true,
        store_history: false,
        stop_on_error: false,
        allow_stdin: false
      });
      const { content } = await future.done;
      if (run === this._runs && this.stage(key).kind === 'running') {
        // It has said no end on the stream: a kernel that failed to, or one whose stream is closed.
        const words = content.status === 'error' ? content.evalue : '';
        this._end(key, words ? { state: 'failed', words } : null);
      }
    } catch {
      if (run === this._runs && this.stage(key).kind === 'running') {
        const words = this._options.trans.__('The kernel ended before the trial did.');
        this._end(key, { state: 'failed', words }); // a future's own words are nobody's
      }
    }
  }

  async stop(): Promise<void> {
    const key = this.runningKey;
    if (key === null) {
      return;
    }
    const answer = await Promise.race([
      this._options.link.ask('stop', { key }).catch(() => null),
      new Promise<null>(resolve => window.setTimeout(() => resolve(null), STOP_MS))
    ]);
    const stage = this.stage(key);
    if (stage.kind !== 'running') {
      return;
    }
    if (stage.message !== null) {
      if (answer === null) {
        await this._kernel?.interrupt(); // ipykernel 6 hears nothing while it works
      }
    } else if (answer?.type !== 'stopping') {
      this._unheard = key; // an interrupt would be the cell's
    } else if (!answer.running) {
      // It waits for a cell, which goes on; the kernel will not begin it.
      const words = this._options.trans.__('It had not begun, and will not.');
      this._end(key, { state: 'stopped', words });
    }
  }

  get allApplied(): readonly IApplied[] {
    return [...this._applied.values()];
  }

  forgetApplied(key: string): void {
    this._applied.delete(key);
    this._changed.emit();
  }

  apply({ key, name }: { key: string; name: string }, change: IChangeOfCell): string {
    const { trans, panel, cost } = this._options;
    const now = change.cell_id === null ? null : sourceOf(panel, change.cell_id);
    if (change.cell_id === null || now === null) {
      return trans.__('The cell is gone: nothing was changed.');
    }
    if (now !== change.before) {
      return trans.__('The cell reads otherwise than when it was tried: nothing was changed.');
    }
    if (!setSource(panel, change.cell_id, change.after)) {
      return trans.__('The cell can’t be edited: nothing was changed.');
    }
    this._applied.set(key, { key, name, change, before: cost(change.cell_id)?.run ?? null });
    this._changed.emit();
    return '';
  }

  undo(key: string): string {
    const { trans, panel } = this._options;
    const known = this._applied.get(key);
    if (known === undefined || known.change.cell_id === null) {
      return '';
    }
    if (sourceOf(panel, known.change.cell_id) !== known.change.after) {
      return trans.__('The cell has been edited since: take the change out there.');
    }
    if (!setSource(panel, known.change.cell_id, known.change.before)) {
      return trans.__('The cell can’t be edited: nothing was changed.');
    }
    this._applied.delete(key);
    this._changed.emit();
    return '';
  }

  /** What came on the stream of a trial, of this page's or another's. */
  heard(message: ITrialMessage): void {
    if (message.state === 'running') {
      this._set(message.key, { kind: 'running', message, budget_s: message.budget_s });
      if (this._unheard === message.key) {
        this._unheard = null;
        void this._kernel?.interrupt();
      }
    } else {
      this._end(message.key, message.state === 'done' ? null : message);
    }
  }

  /** The kernel is another, or gone: no trial runs any more, and what was planned there can't be run here. */
  forget(): void {
    const running = this.runningKey;
    this._stages.clear();
    if (running !== null) {
      const words = this._options.trans.__('The kernel ended before the trial did.');
      this._stages.set(running, { kind: 'ended', state: 'failed', words });
    }
    this._changed.emit();
  }

  dispose(): void {
    Signal.clearData(this);
  }

  private get _kernel(): Kernel.IKernelConnection | null {
    return this._options.panel.sessionContext.session?.kernel ?? null;
  }

  private _end(key: string, why: { state: ITrialMessage['state']; words: string } | null): void {
    this._set(key, why === null ? NOTHING : { kind: 'ended', state: why.state, words: why.words });
  }

  private _fail(key: string, error: unknown): void {
    const { trans } = this._options;
    const silent = trans.__('The kernel does not answer: try it when it is free.');
    const words = error instanceof Error && !(error instanceof NoAnswer) ? error.message : silent;
    this._set(key, { kind: 'ended', state: 'refused', words });
  }

  private _set(key: string, stage: TrialStage): void {
    if (stage.kind === 'none') {
      this._stages.delete(key);
    } else {
      this._stages.set(key, stage);
    }
    this._changed.emit();
  }

  private _runs = 0;
  /** What was to stop before it began, in a kernel that hears nothing while it works. */
  private _unheard: string | null = null;
  private readonly _stages = new Map<string, TrialStage>();
  private readonly _applied = new Map<string, IApplied>();
  private _changed = new Signal<ITrials, void>(this);
}
