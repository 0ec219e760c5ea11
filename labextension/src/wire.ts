/**
 * What a kernel and this page say to each other, as types. The same messages are made in greennb/model/messages.py, and
 * both languages read the golden files of tests/data/messages. Times are seconds of the kernel's monotonic clock; a number that is
 * missing is null, never 0.
 */
import type { IPlan, IStopping, ITrial, ITrialMessage } from './wireTrial';

/** Version of the messages that this page speaks. */
export const VERSION = 1;

/** The newest schema of a measurement that this page reads. */
export const SCHEMA = 1;

/** MIME type of a measurement in a notebook's output. */
export const MIME_TYPE = 'application/vnd.greennb.energy+json';

/** Comm target on which a kernel sends of its own accord. */
export const STREAM_TARGET = 'greennb.stream';

/** Comm target on which this page asks and the kernel answers. */
export const ASK_TARGET = 'greennb.ask';

/** How joules were obtained, best first. */
export type Method = 'counter' | 'integrated' | 'estimated';

/** A piece of hardware whose energy can be told apart. The order in `hello` is the order of every list of watts. */
export interface IDomain {
  id: string;
  kind: string;
  label: string;
  host: string;
  /** The domain that holds this one's energy already, if that is known. */
  inside: string | null;
  method: Method;
  note: string;
  /** More than this it cannot plausibly draw. */
  max_w: number;
  /** Whether it counts in a total: no other domain of the list holds it. */
  root: boolean;
}

/** What probing for one source of joules gave. */
export interface IProbe {
  name: string;
  used: boolean;
  reason: string;
  hint: string;
}

/** Something that could not be read: why, and what mends it. */
export interface IFault {
  domain: string | null;
  label: string;
  reason: string;
  hint: string;
}

/** Utilisation and memory, of a device (`domain` is its id) or of the whole machine (`domain` is null). */
export interface IGauge {
  domain: string | null;
  /** 0 to 1. */
  util: number | null;
  mem_b: number | null;
  mem_total_b: number | null;
  temp_c: number | null;
}

export interface IIntensity {
  g_per_kwh: number;
  low: number | null;
  high: number | null;
  zone: string;
  origin: 'user' | 'live' | 'static' | 'guessed' | 'world';
  as_of: string;
  provider: string;
  note: string;
}

/** What is in force in the kernel. */
export interface ISettingsInForce {
  /** Whether cells without a marker are measured. */
  measure: boolean;
  zone: string;
  pue: number;
  intensity: IIntensity | null;
  price: number;
  currency: string;
  /** Whether the advisor looks on; a kernel that does not say has none, or is older. */
  advice?: boolean;
}

/** One domain's energy in one window; `kind` to `inside` as in the measurement's JSON. */
export interface IDomainEnergy {
  kind: string;
  host: string;
  device: string;
  label: string;
  gross_j: number;
  idle_j: number | null;
  net_j: number | null;
  process_j: number | null;
  u_j: number;
  low_j: number;
  high_j: number;
  method: Method;
  coverage: number;
  inside: IPlace | null;
  /** Standard uncertainty of `idle_j`; later writers have it. */
  idle_u_j?: number;
  net_u_j?: number;
  /** What `idle_j` rests on. */
  idle_basis?: { origin: string; as_of: string | null; over_s: number | null; busy: number | null };
  process_note?: string;
}

/** A domain as a measurement names it, with the domains around it. */
export interface IPlace {
  kind: string;
  device: string;
  host?: string;
  label?: string;
  inside?: IPlace | null;
}

/** What a window cost: the fields of `Measurement.to_dict()` that this page reads. */
export interface IMeasurement {
  schema: number;
  id: string;
  label: string;
  cell_id: string | null;
  execution_count: number | null;
  parent_id: string | null;
  status: 'ok' | 'error' | 'interrupted' | 'open';
  started_at: string;
  duration_s: number;
  host: string;
  total_j: number | null;
  low_j: number | null;
  high_j: number | null;
  net_j: number | null;
  net_u_j: number | null;
  process_j: number | null;
  mean_w: number | null;
  method: Method | null;
  partial: boolean;
  domains: IDomainEnergy[];
  faults: { reason: string; hint: string; t_ns?: number; domain: (IPlace & { label: string }) | null }[];
  co2e_g: number | null;
  pue: number | null;
  intensity: IIntensity | null;
  overhead_s: number;
  t0_ns?: number;
  t1_ns?: number;
  u_j?: number;
}

/** What every run since the kernel began cost together, re-runs included. */
export interface ISessionTotal {
  runs: number;
  total_j: number | null;
  low_j: number | null;
  high_j: number | null;
  net_j: number | null;
  co2e_g: number | null;
  duration_s: number;
  method: Method | null;
  partial: boolean;
}

/** Something held or used while nothing runs. */
export interface IWaste {
  kind: 'gpu' | 'cpu';
  domain: string | null;
  label: string;
  watts: number | null;
  method: Method | null;
  /** Since when nothing runs. */
  seconds: number;
  /** Drawn meanwhile, as far as it was watched; null where it was not. */
  joules: number | null;
  mem_b: number | null;
  /** CPUs kept busy. */
  cpus: number | null;
  why: string;
  /** Code that releases it; "" where only a restart would. */
  code: string;
}

/** A rule of the advisor that fired on a cell. Without a trial it shows no saving. */
export interface IFinding {
  code: string;
  name: string;
  framework: string;
  severity: 'note' | 'act';
  source: string;
  /** Counter-indications, each a clause that can follow "not where". */
  wrong_when: string[];
  /** Names it among the findings of its notebook: rule and subject; "" from an older kernel. */
  key: string;
  /** What it is about, by the user's own name where that is known. */
  subject: string;
  /** The dearest of the cells that it was found in, and its execution count then. */
  cell_id: string | null;
  execution_count: number | null;
  /** In how many cells it was found. */
  cells: number;
  /** Seconds and joules that ran through what would change. No saving: its upper bound. */
  at_stake_s: number | null;
  at_stake_j: number | null;
  /** How `at_stake_j` came about. */
  method: Method | null;
  evidence: { name: string; value: number | null; unit: string }[];
  suggestion: string;
  code_change: string;
  trial: ITrial | null;
  /** Whether some variant answers its rule, so that a trial could be run. */
  can_try: boolean;
}

/** Who the kernel is, what it can measure, and what it cannot and why. On the stream when its sources have changed. */
export interface IHello {
  v: number;
  type: 'hello';
  greennb: string;
  schema: number;
  host: string;
  pid: number;
  python: string;
  session: string;
  t_s: number;
  domains: IDomain[];
  sources: IProbe[];
  faults: IFault[];
  settings: ISettingsInForce;
}

/** Watts of each domain (outer list, in the order of `hello`) at each of `t_s` (inner list). */
export interface ISamples {
  v: number;
  type: 'samples';
  t_s: number[];
  w: (number | null)[][];
  low_w: (number | null)[];
  high_w: (number | null)[];
  gauges: IGauge[];
  faults: IFault[];
}

/** A cell's window has been opened. */
export interface IBegan {
  v: number;
  type: 'began';
  window: string;
  cell_id: string | null;
  t_s: number;
  label: string;
  count: number | null;
}

/** A cell has been measured. `source` is its first line. */
export interface IEnded {
  v: number;
  type: 'ended';
  t0_s: number;
  t1_s: number;
  source: string;
  measurement: IMeasurement;
  session: ISessionTotal;
}

export interface IWasteMessage {
  v: number;
  type: 'waste';
  items: IWaste[];
}

/** All findings there are: what is not in the list any more is settled. */
export interface IFindings {
  v: number;
  type: 'findings';
  findings: IFinding[];
}

export interface ISettingsMessage extends ISettingsInForce {
  v: number;
  type: 'settings';
}

/** The kernel stops speaking. */
export interface IBye {
  v: number;
  type: 'bye';
  reason: string;
}

/** The pace of the stream from now on; 0 is none. */
export interface IWatching {
  v: number;
  type: 'watching';
  hz: number;
}

/** What happened before this page asked; `cells` oldest first, `w` as in `samples`. */
export interface IHistory {
  v: number;
  type: 'history';
  cells: IEnded[];
  session: ISessionTotal;
  t_s: number[];
  w: (number | null)[][];
}

export interface IRefused {
  v: number;
  type: 'refused';
  reason: string;
}

/** What comes on the stream. */
export type StreamMessage =
  IHello | ISamples | IBegan | IEnded | IWasteMessage | IFindings | ISettingsMessage | ITrialMessage | IBye;

/** What comes as an answer; `re` is the question's id. */
export type Answer = (IHello | IWatching | IHistory | ISettingsMessage | IPlan | IStopping | IRefused) & {
  re: string;
};

/** Anything that a kernel says. */
export type Message = StreamMessage | Answer;

export type { IChangeOfCell, IPlan, IStopping, ITrial, ITrialMessage, IWay, Verdict } from './wireTrial';
export { GUARDS, parseAnswer, parseMeasurement, parseStream, versionOf } from './guards';
