/** The door for what is said of trials: see `guards.ts`. */
import { amount, every, finite, flag, maybe, oneOf, orElse, shape, some, text } from './checks';
import type { Check } from './checks';
import { VERSION } from './wire';
import type { Method } from './wire';
import type { IChangeOfCell, IPlan, IStopping, ITrial, ITrialMessage, IWay, Interval } from './wireTrial';

const NAME = text(2000);
const PROSE = text(4000);
/** A source that was cut is not the source: a longer one is no change that could be applied. */
const MOST_SOURCE = 100_000;
const MOST_WORDS = 20;

const v: Check<number> = value => (value === VERSION ? VERSION : undefined);
const method = oneOf<Method>('counter', 'integrated', 'estimated');

const source: Check<string> = value =>
  typeof value === 'string' && value.length <= MOST_SOURCE ? value : undefined;

const interval: Check<Interval | null> = value => {
  const ends = every(maybe(finite), 3)(value);
  return ends?.length === 2 ? [ends[0], ends[1]] : null;
};

const change = shape<IChangeOfCell>({ cell_id: maybe(NAME), before: source, after: source });

const way = shape<IWay>({
  blocks: orElse(amount, 0),
  joules_per_run: maybe(amount),
  seconds_per_run: maybe(amount),
  joules_per_item: maybe(amount),
  seconds_per_item: maybe(amount),
  apart_j: maybe(amount),
  peak_b: maybe(amount)
});

/** What a finding carries of its trial; an older kernel's says less. */
export const trial = shape<ITrial>({
  verdict: oneOf('saves', 'costs more', 'no difference shown', 'cannot tell'),
  ratio: maybe(finite),
  interval,
  quality: orElse(PROSE, ''),
  break_even: maybe(finite),
  quality_good: maybe(flag),
  note: orElse(PROSE, ''),
  variant: orElse(NAME, ''),
  unit: orElse(text(40), ''),
  units: maybe(amount),
  baseline: maybe(way),
  candidate: maybe(way),
  spent_s: maybe(amount),
  spent_j: maybe(amount),
  method: maybe(method),
  change: maybe(change)
});

export const trialMessage = shape<ITrialMessage>({
  v,
  type: oneOf('trial'),
  key: text(200),
  code: text(40),
  variant: NAME,
  cell_id: maybe(NAME),
  state: oneOf('running', 'done', 'refused', 'stopped', 'void', 'failed'),
  phase: orElse(text(40), ''),
  rounds: orElse(amount, 0),
  ratio: maybe(finite),
  interval,
  spent_s: orElse(amount, 0),
  spent_j: maybe(amount),
  budget_s: orElse(amount, 0),
  method: maybe(method),
  words: orElse(PROSE, '')
});

export const plan = shape<IPlan>({
  v,
  type: oneOf('plan'),
  key: text(200),
  code: text(40),
  variant: NAME,
  kind: orElse(text(40), ''),
  variants: orElse(some(NAME, MOST_WORDS), []),
  cell_id: maybe(NAME),
  execution_count: maybe(finite),
  words: orElse(some(PROSE, MOST_WORDS), []),
  budget_s: amount,
  expected_j: maybe(amount),
  method: maybe(method),
  change,
  run: PROSE
});

export const stopping = shape<IStopping>({ v, type: oneOf('stopping'), running: flag });
