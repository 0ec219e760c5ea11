/** What a kernel says of trials: their plans, how far they are, and what they showed. */
import type { Method } from './wire';

/** The ends of a 95 % interval; null is an end that could not be told. */
export type Interval = [number | null, number | null];

export type Verdict = 'saves' | 'costs more' | 'no difference shown' | 'cannot tell';

/** A change of one cell's source; a cell that reads otherwise than `before` by now is not it. */
export interface IChangeOfCell {
  cell_id: string | null;
  before: string;
  after: string;
}

/** One of the two ways: medians over its blocks. */
export interface IWay {
  blocks: number;
  joules_per_run: number | null;
  seconds_per_run: number | null;
  /** A sample, or a row; null where a unit of work is one. */
  joules_per_item: number | null;
  seconds_per_item: number | null;
  /** Of what is done once, before any block: warming up, compiling. */
  apart_j: number | null;
  peak_b: number | null;
}

/** What a trial showed. Kernels of 0.1 say its first five fields only. */
export interface ITrial {
  verdict: Verdict;
  ratio: number | null;
  interval: Interval | null;
  quality: string;
  break_even: number | null;
  /** What the guard says; null where it has not looked, or can't. */
  quality_good: boolean | null;
  /** Why no more can be said. */
  note: string;
  variant: string;
  /** What is repeated: "step", "call", "fit", "run", "" if unknown; `units` how many of them the cell had. */
  unit: string;
  units: number | null;
  baseline: IWay | null;
  candidate: IWay | null;
  spent_s: number | null;
  spent_j: number | null;
  method: Method | null;
  change: IChangeOfCell | null;
}

/** How far a trial is; `words` say why where it did not come to its end. */
export interface ITrialMessage {
  v: number;
  type: 'trial';
  /** The finding's key, or the rule's code. */
  key: string;
  code: string;
  variant: string;
  cell_id: string | null;
  state: 'running' | 'done' | 'refused' | 'stopped' | 'void' | 'failed';
  phase: string;
  rounds: number;
  ratio: number | null;
  interval: Interval | null;
  spent_s: number;
  spent_j: number | null;
  budget_s: number;
  method: Method | null;
  words: string;
}

/** What a trial would run; nothing has been. */
export interface IPlan {
  v: number;
  type: 'plan';
  key: string;
  code: string;
  variant: string;
  kind: string;
  /** All that could be tried for that rule. */
  variants: string[];
  cell_id: string | null;
  execution_count: number | null;
  words: string[];
  budget_s: number;
  expected_j: number | null;
  method: Method | null;
  change: IChangeOfCell;
  /** What the kernel has to execute, silently, to run it. */
  run: string;
}

export interface IStopping {
  v: number;
  type: 'stopping';
  /** Whether a trial was running. */
  running: boolean;
}
