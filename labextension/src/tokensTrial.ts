/** What views know of a notebook's trials. */
import type { ISignal } from '@lumino/signaling';

import type { ICellCost, IRun } from './tokens';
import type { IChangeOfCell, IPlan, ITrialMessage } from './wire';

export type { ICellCost };

/** Where the trial of one finding stands. What it showed is the finding's own. */
export type TrialStage =
  | { kind: 'none' }
  | { kind: 'planning' }
  | { kind: 'planned'; plan: IPlan }
  | { kind: 'running'; message: ITrialMessage | null; budget_s: number }
  | { kind: 'ended'; state: ITrialMessage['state']; words: string };

/** A change that was put into its cell, and the cell's run before that. */
export interface IApplied {
  /** The finding's key and name: once the cell has run again, the finding may be gone. */
  key: string;
  name: string;
  change: IChangeOfCell;
  before: IRun | null;
}

export interface ITrials {
  readonly changed: ISignal<ITrials, void>;
  /** The finding whose trial runs now, here or in another page; null where none does. */
  readonly runningKey: string | null;
  stage(key: string): TrialStage;
  applied(key: string): IApplied | null;
  /** Every change that was applied here and not taken back. */
  readonly allApplied: readonly IApplied[];
  /** Ask what a trial would run. */
  plan(key: string, variant?: string): Promise<void>;
  /** Put the plan away, or what a trial ended with. */
  cancel(key: string): void;
  run(plan: IPlan): Promise<void>;
  stop(): Promise<void>;
  /** Put the change into its cell; a sentence where that can't be. Nothing is run. */
  apply(finding: { key: string; name: string }, change: IChangeOfCell): string;
  undo(key: string): string;
  /** Say no more of what was applied; the cell stays as it is. */
  forgetApplied(key: string): void;
}
