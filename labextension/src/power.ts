/**
 * The power of the last hour at three resolutions, in memory that does not grow. A bin holds the mean over the time that
 * was watched in it; a bin in which nothing was read is NaN, never 0.
 */
import type { ILatest, IPowerHistory, IPowerView } from './tokens';
import type { ISamples } from './wire';

/** Span and bin width in seconds: the first holds 10 samples a second one by one. */
const TIERS = [
  { span_s: 60, bin_s: 0.1 },
  { span_s: 300, bin_s: 0.5 },
  { span_s: 3600, bin_s: 5 }
] as const;

/** A sample stands for the time since the one before, but not for longer than this: then nobody watched. */
const LONGEST_HOLD_S = 5;
/** What the first sample after a gap stands for. */
const SHORTEST_HOLD_S = 0.1;
/** A clock that goes back by more than this has begun anew; a little is two messages that overtook each other. */
const CLOCK_BACK_S = 1;
/** No machine has been up for 300 years; beyond some such number bins could not be counted. */
const LATEST_S = 1e10;
/** Over more than a day no two samples have to do with each other. */
const CLOCK_AHEAD_S = 24 * 3600;

type Rows = readonly (readonly (number | null)[])[];

export class PowerHistory implements IPowerHistory {
  /** `clock_s` is this page's clock in seconds. */
  constructor(clock_s: () => number = () => performance.now() / 1000) {
    this._kernelClock = new KernelClock(clock_s);
    this.clear();
  }

  get latest(): ILatest | null {
    return this._latest;
  }

  get version(): number {
    return this._version;
  }

  now_s(): number {
    return this._kernelClock.now_s();
  }

  /** The kernel's clock at the newest sample; NaN before the first. */
  get last_s(): number {
    return this._last_s;
  }

  /** No watts are known at present; what was stays. */
  silence(): void {
    this._latest = null;
    this._version++;
  }

  /** No view reaches back further than this, in seconds. */
  set longest_s(span_s: number) {
    this._longest_s = span_s;
  }

  /** Forget everything, for instance because another kernel speaks now. */
  clear(): void {
    this._tiers = TIERS.map(({ span_s, bin_s }) => new Tier(span_s, bin_s, this._ids.length));
    this._kernelClock.clear();
    this._last_s = NaN;
    this._latest = null;
    this._version++;
  }

  /** The domains whose watts come from now on. Those that stay keep their history; others begin empty. */
  setDomains(ids: readonly string[]): void {
    if (ids.length === this._ids.length && ids.every((id, at) => id === this._ids[at])) {
      return;
    }
    const before = ids.map(id => this._ids.indexOf(id));
    this._ids = [...ids];
    this._tiers.forEach(tier => tier.rearrange(before));
    this._latest = null;
    this._version++;
  }

  /** Live samples; a message whose rows are not the domains' is left out. False where it was. */
  add({ t_s, w, low_w, high_w, gauges, faults }: ISamples): boolean {
    if (w.length !== this._ids.length) {
      return false;
    }
    const newest_s = t_s[t_s.length - 1];
    if (newest_s !== undefined) {
      if (newest_s < this._last_s - CLOCK_BACK_S || newest_s > this._last_s + CLOCK_AHEAD_S) {
        this.clear();
      }
      this._kernelClock.heard(newest_s);
      this._append(t_s, w);
    }
    this._latest = {
      t_s: newest_s ?? this._latest?.t_s ?? NaN,
      watts:
        newest_s === undefined
          ? (this._latest?.watts ?? w.map(() => null))
          : w.map(row => row[row.length - 1]),
      low: low_w,
      high: high_w,
      gauges,
      faults
    };
    this._version++;
    return true;
  }

  /** The kernel's clock stood at `t_s` when it said what has just come. */
  heard(t_s: number): void {
    this._kernelClock.heard(t_s);
  }

  /** What happened before: whatever is newer than what is here already. */
  load(t_s: readonly number[], w: Rows): void {
    if (w.length === this._ids.length) {
      this._append(t_s, w);
      this._version++;
    }
  }

  view(span_s: number): IPowerView {
    const span = Math.min(span_s, this._longest_s);
    const tier = this._tiers.find((it, at) => it.span_s >= span || at === this._tiers.length - 1)!;
    return tier.view(span, this.now_s());
  }

  private _append(t_s: readonly number[], w: Rows): void {
    const newest_s = t_s[t_s.length - 1];
    for (let at = 0; at < t_s.length; at++) {
      const since_s = t_s[at] - this._last_s;
      if (since_s <= 0 || !(t_s[at] >= 0 && t_s[at] < LATEST_S)) {
        continue;
      }
      const watched = since_s <= LONGEST_HOLD_S; // NaN, before the first sample, is not
      const from_s = t_s[at] - (watched ? since_s : SHORTEST_HOLD_S);
      for (const tier of this._tiers) {
        if (t_s[at] >= newest_s - tier.span_s) {
          tier.add(from_s, t_s[at], w, at); // an hour of the past is too much for a tier of a minute
        }
      }
      this._last_s = t_s[at];
    }
  }

  private _ids: string[] = [];
  private _tiers: Tier[] = [];
  private _kernelClock: KernelClock;
  private _last_s = NaN;
  private _latest: ILatest | null = null;
  private _longest_s = Infinity;
  private _version = 0;
}

/** One resolution: a ring of bins for each domain. */
class Tier {
  constructor(
    readonly span_s: number,
    readonly bin_s: number,
    domains: number
  ) {
    this._bins = Math.ceil(span_s / bin_s) + 2; // the oldest and the newest bin are in view in part
    this._times = new Float64Array(this._bins);
    this._rings = Array.from({ length: domains }, () => new Ring(this._bins));
  }

  /** Keep the rings of the domains that were at these places; -1 begins anew. */
  rearrange(before: readonly number[]): void {
    this._rings = before.map(at => this._rings[at] ?? new Ring(this._bins));
    this._shown = null;
  }

  /** Row `at` of `w` held from `from_s` to `to_s`. */
  add(from_s: number, to_s: number, w: Rows, at: number): void {
    const newest = Math.max(0, Math.ceil(to_s / this.bin_s - 1e-6) - 1); // 1000.1 / 0.1 is 10001.000000000002
    this._advance(newest);
    const oldest = Math.max(0, Math.floor(from_s / this.bin_s), newest - this._bins + 1);
    for (let bin = oldest; bin <= newest; bin++) {
      const held_s = Math.min(to_s, (bin + 1) * this.bin_s) - Math.max(from_s, bin * this.bin_s);
      if (held_s <= 0) {
        continue;
      }
      for (let domain = 0; domain < this._rings.length; domain++) {
        const watts = w[domain][at];
        if (watts !== null) {
          this._rings[domain].add(bin % this._bins, watts, held_s);
        }
      }
    }
    this._shown = null;
  }

  /** The arrays belong to this tier: the next call fills them anew. */
  view(span_s: number, now_s: number): IPowerView {
    const oldest = Math.max(0, Math.floor((now_s - span_s) / this.bin_s), this._newest - this._bins + 1);
    const length = Math.max(0, this._newest - oldest + 1) || 0; // now_s is NaN before the first sample
    if (this._shown === null || this._shown.t_s.length !== length || this._oldestShown !== oldest) {
      this._shown = this._copy(length ? oldest : 0, length);
      this._oldestShown = oldest;
    }
    return this._shown;
  }

  private _copy(oldest: number, length: number): IPowerView {
    for (let at = 0; at < length; at++) {
      this._times[at] = (oldest + at + 0.5) * this.bin_s;
    }
    return {
      t_s: this._times.subarray(0, length),
      watts: this._rings.map(ring => ring.copy(oldest % this._bins, length)),
      bin_s: this.bin_s
    };
  }

  private _advance(newest: number): void {
    for (let bin = Math.max(this._newest + 1, newest - this._bins + 1); bin <= newest; bin++) {
      this._rings.forEach(ring => ring.empty(bin % this._bins));
    }
    this._newest = Math.max(newest, this._newest);
  }

  private readonly _bins: number;
  private readonly _times: Float64Array;
  private _rings: Ring[];
  private _newest = -1;
  private _shown: IPowerView | null = null;
  private _oldestShown = NaN;
}

/** One domain's bins: their mean watts and the seconds that stand behind each. */
class Ring {
  constructor(bins: number) {
    this._mean_w = new Float32Array(bins).fill(NaN);
    this._held_s = new Float32Array(bins);
    this._copied = new Float32Array(bins);
  }

  add(slot: number, watts: number, held_s: number): void {
    const before_s = this._held_s[slot];
    const mean_w = this._mean_w[slot];
    this._mean_w[slot] = before_s > 0 ? mean_w + ((watts - mean_w) * held_s) / (before_s + held_s) : watts;
    this._held_s[slot] = before_s + held_s;
  }

  empty(slot: number): void {
    this._mean_w[slot] = NaN;
    this._held_s[slot] = 0;
  }

  copy(first: number, length: number): Float32Array {
    const whole = this._mean_w.length;
    const untilEnd = Math.min(length, whole - first);
    this._copied.set(this._mean_w.subarray(first, first + untilEnd));
    this._copied.set(this._mean_w.subarray(0, length - untilEnd), untilEnd);
    return this._copied.subarray(0, length);
  }

  private readonly _mean_w: Float32Array;
  private readonly _held_s: Float32Array;
  private readonly _copied: Float32Array;
}

/** Over this long the smallest offset counts; longer, and two clocks that drift apart are not followed. */
const OFFSET_WINDOW_S = 10;

/**
 * The kernel's clock as this page's clock tells it. A message is never early: the smallest distance between the two
 * clocks of the last 10 to 20 seconds is the best one, and the late messages between do not make the chart stutter.
 */
class KernelClock {
  constructor(private readonly _clock_s: () => number) {}

  clear(): void {
    this._offset_s = this._before_s = this._since_s = NaN;
  }

  /** A message has just come that was sent at `t_s` of the kernel's clock or later. */
  heard(t_s: number): void {
    const here_s = this._clock_s();
    const offset_s = here_s - t_s;
    if (!(here_s - this._since_s < OFFSET_WINDOW_S)) {
      this._before_s = here_s - this._since_s < 2 * OFFSET_WINDOW_S ? this._offset_s : NaN;
      this._offset_s = offset_s;
      this._since_s = here_s;
    }
    this._offset_s = Math.min(this._offset_s, offset_s);
  }

  now_s(): number {
    const offset_s = Number.isNaN(this._before_s) ? this._offset_s : Math.min(this._offset_s, this._before_s);
    return this._clock_s() - offset_s;
  }

  private _offset_s = NaN;
  private _before_s = NaN;
  private _since_s = NaN;
}
