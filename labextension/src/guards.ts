/**
 * The door: what a kernel or a notebook file says is checked here, once, and is typed from here on. Garbage is null;
 * too much is trimmed; a number that is no number is missing; nothing throws.
 */
import {
  amount,
  every,
  finite,
  flag,
  isRecord,
  maybe,
  oneOf,
  optional,
  orElse,
  shape,
  share,
  some,
  text
} from './checks';
import type { Check, Fields } from './checks';
import { plan, stopping, trial, trialMessage } from './guardsTrial';
import { SCHEMA, VERSION } from './wire';
import type {
  Answer,
  IDomain,
  IDomainEnergy,
  IEnded,
  IFault,
  IFinding,
  IGauge,
  IHistory,
  IIntensity,
  IMeasurement,
  IPlace,
  IProbe,
  ISamples,
  ISessionTotal,
  ISettingsInForce,
  IWaste,
  Message,
  Method,
  StreamMessage
} from './wire';

/** More than this and it is no machine, no message and no notebook that people have. */
const MOST = {
  domains: 256,
  samples: 2_000,
  history: 50_000,
  cells: 10_000,
  items: 200,
  clauses: 20,
  nested: 8
};
/** Seconds of a clock that began with the machine. */
const LATEST_S = 1e10;
/** No sensor that greennb knows reads a gigawatt. */
const MOST_W = 1e9;

const NAME = text(2000);
const PROSE = text(4000);
const CODE = text(20_000);

const time: Check<number> = value => {
  const known = amount(value);
  return known !== undefined && known < LATEST_S ? known : undefined;
};

const method = oneOf<Method>('counter', 'integrated', 'estimated');

const domain = shape<IDomain>({
  id: NAME,
  kind: NAME,
  label: NAME,
  host: NAME,
  inside: maybe(NAME),
  method,
  note: orElse(PROSE, ''),
  max_w: orElse(amount, MOST_W),
  root: flag
});

const probe = shape<IProbe>({ name: NAME, used: flag, reason: PROSE, hint: orElse(PROSE, '') });

const fault = shape<IFault>({
  domain: maybe(NAME),
  label: orElse(NAME, ''),
  reason: PROSE,
  hint: orElse(PROSE, '')
});

const gauge = shape<IGauge>({
  domain: maybe(NAME),
  util: maybe(share),
  mem_b: maybe(amount),
  mem_total_b: maybe(amount),
  temp_c: maybe(finite)
});

const intensity = shape<IIntensity>({
  g_per_kwh: amount,
  low: maybe(amount),
  high: maybe(amount),
  zone: NAME,
  origin: oneOf('user', 'live', 'static', 'guessed', 'world'),
  as_of: NAME,
  provider: NAME,
  note: orElse(PROSE, '')
});

const inForce: Fields<ISettingsInForce> = {
  measure: flag,
  zone: NAME,
  pue: amount,
  intensity: maybe(intensity),
  price: orElse(amount, 0),
  currency: orElse(text(20), ''),
  advice: optional(flag)
};

const energy = shape<IDomainEnergy>({
  kind: NAME,
  host: NAME,
  device: NAME,
  label: NAME,
  gross_j: finite,
  idle_j: maybe(finite),
  net_j: maybe(finite),
  process_j: maybe(finite),
  u_j: finite,
  low_j: finite,
  high_j: finite,
  method,
  coverage: share,
  inside: place,
  idle_u_j: optional(finite),
  net_u_j: optional(finite),
  idle_basis: optional(
    shape({ origin: NAME, as_of: maybe(NAME), over_s: maybe(finite), busy: maybe(finite) })
  ),
  process_note: optional(PROSE)
});

function place(value: unknown, depth = 0): IPlace | null {
  if (depth >= MOST.nested || !isRecord(value)) {
    return null;
  }
  const known = named(value);
  return known === undefined ? null : { ...known, inside: place(value.inside, depth + 1) };
}

const named = shape<Required<Omit<IPlace, 'inside'>>>({ kind: NAME, device: NAME, host: NAME, label: NAME });

const measurement = shape<IMeasurement>({
  schema: value =>
    finite(value) !== undefined && (value as number) <= SCHEMA ? (value as number) : undefined,
  id: NAME,
  label: NAME,
  cell_id: maybe(NAME),
  execution_count: maybe(finite),
  parent_id: maybe(NAME),
  status: oneOf('ok', 'error', 'interrupted', 'open'),
  started_at: NAME,
  duration_s: amount,
  host: NAME,
  total_j: maybe(finite),
  low_j: maybe(finite),
  high_j: maybe(finite),
  net_j: maybe(finite),
  net_u_j: maybe(finite),
  process_j: maybe(finite),
  mean_w: maybe(finite),
  method: maybe(method),
  partial: flag,
  domains: every(energy, MOST.domains),
  faults: some(
    shape({
      reason: PROSE,
      hint: orElse(PROSE, ''),
      t_ns: optional(finite),
      domain: (value: unknown) => place(value) as (IPlace & { label: string }) | null
    }),
    MOST.items
  ),
  co2e_g: maybe(finite),
  pue: maybe(finite),
  intensity: maybe(intensity),
  overhead_s: orElse(amount, 0),
  t0_ns: optional(finite),
  t1_ns: optional(finite),
  u_j: optional(finite)
});

const session = shape<ISessionTotal>({
  runs: amount,
  total_j: maybe(finite),
  low_j: maybe(finite),
  high_j: maybe(finite),
  net_j: maybe(finite),
  co2e_g: maybe(finite),
  duration_s: amount,
  method: maybe(method),
  partial: flag
});

const waste = shape<IWaste>({
  kind: oneOf('gpu', 'cpu'),
  domain: maybe(NAME),
  label: NAME,
  watts: maybe(finite),
  method: maybe(method),
  seconds: amount,
  joules: maybe(finite),
  mem_b: maybe(amount),
  cpus: maybe(amount),
  why: PROSE,
  code: orElse(CODE, '')
});

/** A number of cells: at least the one that is named. */
const cells: Check<number> = value => {
  const known = amount(value);
  return known !== undefined && known >= 1 && Number.isInteger(known) ? known : undefined;
};

/** What older kernels do not say is as if it were not known. */
const finding = shape<IFinding>({
  code: text(40),
  name: NAME,
  framework: NAME,
  severity: oneOf('note', 'act'),
  source: PROSE,
  wrong_when: orElse(some(PROSE, MOST.clauses), []),
  key: orElse(text(200), ''),
  subject: orElse(NAME, ''),
  cell_id: maybe(NAME),
  execution_count: maybe(finite),
  cells: orElse(cells, 1),
  at_stake_s: maybe(amount),
  at_stake_j: maybe(amount),
  method: maybe(method),
  evidence: some(shape({ name: NAME, value: maybe(finite), unit: text(40) }), MOST.items),
  suggestion: PROSE,
  code_change: CODE,
  trial: maybe(trial),
  can_try: orElse(flag, false)
});

const watt: Check<number | null> = value =>
  typeof value === 'number' && Math.abs(value) <= MOST_W ? value : null;

/** Watts of each domain, one a time; a row that is too short ends in gaps. */
function rows(value: unknown, times: number): (number | null)[][] | undefined {
  if (!Array.isArray(value)) {
    return undefined;
  }
  return value
    .slice(0, MOST.domains)
    .map(row => Array.from({ length: times }, (_, at) => watt(Array.isArray(row) ? row[at] : null) ?? null));
}

const v: Check<number> = value => (value === VERSION ? VERSION : undefined);

function typed<T extends string>(type: T): Check<T> {
  return oneOf(type);
}

const ended = shape<IEnded>({
  v,
  type: typed('ended'),
  t0_s: time,
  t1_s: time,
  source: orElse(NAME, ''),
  measurement,
  session
});

/** The guard of every type of message; a message of a type without one is nothing. */
export const GUARDS: { [T in Message['type']]: Check<Omit<Extract<Message, { type: T }>, 're'>> } = {
  hello: shape({
    v,
    type: typed('hello'),
    greennb: NAME,
    schema: finite,
    host: NAME,
    pid: finite,
    python: NAME,
    session: NAME,
    t_s: time,
    domains: every(domain, MOST.domains),
    sources: some(probe, MOST.items),
    faults: some(fault, MOST.items),
    settings: shape<ISettingsInForce>(inForce)
  }),
  samples: withRows<ISamples>('samples', MOST.samples, {
    low_w: every(watt, MOST.domains),
    high_w: every(watt, MOST.domains),
    gauges: some(gauge, MOST.domains + 1),
    faults: some(fault, MOST.items)
  }),
  began: shape({
    v,
    type: typed('began'),
    window: NAME,
    cell_id: maybe(NAME),
    t_s: time,
    label: orElse(NAME, ''),
    count: maybe(finite)
  }),
  ended,
  waste: shape({ v, type: typed('waste'), items: some(waste, MOST.items) }),
  findings: shape({ v, type: typed('findings'), findings: some(finding, MOST.items) }),
  settings: shape({ v, type: typed('settings'), ...inForce }),
  trial: trialMessage,
  plan,
  stopping,
  bye: shape({ v, type: typed('bye'), reason: orElse(PROSE, '') }),
  watching: shape({ v, type: typed('watching'), hz: amount }),
  history: withRows<Omit<IHistory, 're'>>('history', MOST.history, {
    cells: some(ended, MOST.cells),
    session
  }),
  refused: shape({ v, type: typed('refused'), reason: PROSE })
};

type WithRows = { v: number; type: string; t_s: number[]; w: (number | null)[][] };

/** A message with times and watts, which have to be as many. */
function withRows<M extends WithRows>(
  type: M['type'],
  most: number,
  fields: Fields<Omit<M, keyof WithRows>>
): Check<M> {
  const rest = shape<Omit<M, keyof WithRows>>(fields);
  return value => {
    if (!isRecord(value) || v(value.v) === undefined || value.type !== type) {
      return undefined;
    }
    const known = rest(value);
    const t_s = every(time, most)(value.t_s);
    const w = t_s && rows(value.w, t_s.length);
    return known && t_s && w ? ({ ...known, v: VERSION, type, t_s, w } as unknown as M) : undefined;
  };
}

const STREAM: ReadonlySet<string> = new Set<StreamMessage['type']>([
  'hello',
  'samples',
  'began',
  'ended',
  'waste',
  'findings',
  'settings',
  'trial',
  'bye'
]);
const ANSWERS: ReadonlySet<string> = new Set<Answer['type']>([
  'hello',
  'watching',
  'history',
  'settings',
  'plan',
  'stopping',
  'refused'
]);

/** What came on the stream; null where it is nothing that this page understands. */
export function parseStream(data: unknown): StreamMessage | null {
  return parse(data, STREAM) as StreamMessage | null;
}

/** What came as an answer; null where it is nothing that this page understands. */
export function parseAnswer(data: unknown): Answer | null {
  const re = isRecord(data) ? text(100)(data.re) : undefined;
  const known = re === undefined ? null : parse(data, ANSWERS);
  return known === null ? null : ({ ...known, re } as Answer);
}

/** A measurement, as in a notebook's output; null where it is none, or of a newer schema. */
export function parseMeasurement(data: unknown): IMeasurement | null {
  return measurement(data) ?? null;
}

/** The version that a message says it has, whatever else is in it; null where it says none. */
export function versionOf(data: unknown): number | null {
  return isRecord(data) ? (finite(data.v) ?? null) : null;
}

function parse(data: unknown, types: ReadonlySet<string>): object | null {
  if (!isRecord(data) || typeof data.type !== 'string' || !types.has(data.type)) {
    return null;
  }
  return GUARDS[data.type as Message['type']](data) ?? null;
}
