/** Where the chart puts what it draws: numbers in, numbers out, no canvas. Times are seconds before now (0 is now). */
import type { IPowerView } from '../tokens';

/** Every domain has a reading. */
export const WHOLE = 0;
/** A domain has none: the stack is lower than what the machine drew. */
export const PARTIAL = 1;
/** None has one. */
export const NOTHING = 2;
/** Nothing was watched yet. */
export const BEFORE = 3;

/** What a path is drawn on: a Path2D, or a test. */
export interface IPen {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  closePath(): void;
}

/** Seconds and watts to pixels. */
export interface IScale {
  x(t_s: number): number;
  y(w: number): number;
}

/** A stretch of bins, both ends included. */
export interface IStretch {
  first: number;
  last: number;
}

/**
 * Power stacked in layers, in buffers that are used again. A layer is one domain or several added together; one of which
 * nothing was read is absent and has no height, which is not the same as 0 W.
 */
export class Stack {
  /** How many bins there are. */
  length = 0;
  /** Width of a bin. */
  bin_s = 0;
  /** The middle of each bin. */
  t_s = new Float64Array(0);
  /** For each layer, the watts at its top: its own and those of the layers below. */
  tops: Float32Array[] = [];
  /** For each layer, whether it has a reading in the bin. */
  present: Uint8Array[] = [];
  /** For each bin, which domains have a reading, in one number: another number, other domains. */
  readers = new Int32Array(0);
  /** For each bin: WHOLE, PARTIAL, NOTHING or BEFORE. */
  state = new Uint8Array(0);
  /** The highest total. */
  max_w = 0;

  /**
   * Stack `layers` (positions in `view.watts`) as it was in the `span_s` seconds before `now_s`. More bins than `most`
   * are averaged in groups that keep their place when time goes on, so that the picture moves and does not flicker.
   */
  fill(
    view: IPowerView,
    layers: readonly (readonly number[])[],
    now_s: number,
    span_s: number,
    most: number
  ): void {
    const visible = span_s / view.bin_s;
    const per = Math.max(1, Math.ceil(visible / Math.max(1, most)));
    this._reserve(Math.ceil(view.t_s.length / per) + 1, layers.length);
    this.bin_s = view.bin_s * per;
    this.max_w = 0;
    this.length = 0;
    let from = firstAfter(view.t_s, now_s - span_s - this.bin_s);
    const end = firstAfter(view.t_s, now_s + this.bin_s / 2);
    while (from < end) {
      const to = Math.min(end, from + groupSize(view, from, per));
      this._bin(view, layers, from, to, now_s);
      this.length++;
      from = to;
    }
    this._markBefore();
  }

  /** Watts of a layer in a bin; NaN where there is no reading. */
  layer_w(layer: number, bin: number): number {
    if (!this.present[layer][bin]) {
      return NaN;
    }
    return this.tops[layer][bin] - (layer > 0 ? this.tops[layer - 1][bin] : 0);
  }

  /** Total watts in a bin, as far as there are readings; NaN where there are none. */
  total_w(bin: number): number {
    return this.state[bin] >= NOTHING ? NaN : this.tops[this.tops.length - 1][bin];
  }

  /** The bin at `t_s`; -1 outside. */
  at(t_s: number): number {
    for (let bin = this.length - 1; bin >= 0; bin--) {
      if (Math.abs(this.t_s[bin] - t_s) <= this.bin_s / 2) {
        return bin;
      }
    }
    return -1;
  }

  private _bin(
    view: IPowerView,
    layers: readonly (readonly number[])[],
    from: number,
    to: number,
    now_s: number
  ): void {
    const bin = this.length;
    this.t_s[bin] = (view.t_s[from] + view.t_s[to - 1]) / 2 - now_s;
    let top = 0;
    let known = 0;
    let missing = 0;
    let readers = 0;
    layers.forEach((members, layer) => {
      let present = 0;
      for (const member of members) {
        const watts = meanOf(view.watts[member], from, to);
        readers = (Math.imul(readers, 31) + (Number.isNaN(watts) ? 1 : 2)) | 0;
        if (Number.isNaN(watts)) {
          missing++;
        } else {
          top += watts;
          present = 1;
        }
      }
      this.tops[layer][bin] = top;
      this.present[layer][bin] = present;
      known += present;
    });
    this.readers[bin] = readers;
    this.state[bin] = missing === 0 ? WHOLE : known === 0 ? NOTHING : PARTIAL;
    this.max_w = Math.max(this.max_w, top);
  }

  private _markBefore(): void {
    for (let bin = 0; bin < this.length && this.state[bin] === NOTHING; bin++) {
      this.state[bin] = BEFORE;
    }
  }

  private _reserve(bins: number, layers: number): void {
    if (this.t_s.length < bins || this.tops.length !== layers) {
      const room = Math.max(bins, this.t_s.length);
      this.t_s = new Float64Array(room);
      this.state = new Uint8Array(room);
      this.readers = new Int32Array(room);
      this.tops = Array.from({ length: layers }, () => new Float32Array(room));
      this.present = Array.from({ length: layers }, () => new Uint8Array(room));
    }
  }
}

/** The position of the first time after `t_s`. */
function firstAfter(times_s: Float64Array, t_s: number): number {
  let low = 0;
  let high = times_s.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times_s[middle] > t_s) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

/** How many of the bins from `from` on belong to its group of `per`: groups begin at multiples of their width. */
function groupSize(view: IPowerView, from: number, per: number): number {
  const number = Math.round(view.t_s[from] / view.bin_s - 0.5);
  return per - (((number % per) + per) % per);
}

/** Mean of the readings in some bins; NaN where there are none. */
function meanOf(watts: Float32Array, from: number, to: number): number {
  let sum = 0;
  let count = 0;
  for (let bin = from; bin < to; bin++) {
    const value = watts[bin];
    if (value === value) {
      sum += value;
      count++;
    }
  }
  return sum / count; // 0 / 0 is NaN, as it should be
}

/** The stretches of bins for which `holds`; two neighbours that do not go `together` are apart. */
export function stretches(
  length: number,
  holds: (bin: number) => boolean,
  together: (bin: number, next: number) => boolean = () => true
): IStretch[] {
  const found: IStretch[] = [];
  for (let bin = 0; bin < length; bin++) {
    if (!holds(bin)) {
      continue;
    }
    const before = found[found.length - 1];
    if (before && before.last === bin - 1 && together(before.last, bin)) {
      before.last = bin;
    } else {
      found.push({ first: bin, last: bin });
    }
  }
  return found;
}

/**
 * The stretches of a layer in which it and the same others have readings: what is drawn over the end of one would slope
 * towards a power that nobody read.
 */
function stretchesOf(stack: Stack, layer: number): IStretch[] {
  return stretches(
    stack.length,
    bin => stack.present[layer][bin] === 1,
    (bin, next) => stack.readers[bin] === stack.readers[next]
  );
}

/** Draw the area of a layer, one closed shape a stretch; it reaches to the edges of its bins. */
export function drawArea(stack: Stack, layer: number, scale: IScale, pen: IPen): void {
  const top = stack.tops[layer];
  const below = layer > 0 ? stack.tops[layer - 1] : null;
  const half = stack.bin_s / 2;
  for (const { first, last } of stretchesOf(stack, layer)) {
    pen.moveTo(scale.x(stack.t_s[first] - half), scale.y(top[first]));
    for (let bin = first; bin <= last; bin++) {
      pen.lineTo(scale.x(stack.t_s[bin]), scale.y(top[bin]));
    }
    pen.lineTo(scale.x(stack.t_s[last] + half), scale.y(top[last]));
    pen.lineTo(scale.x(stack.t_s[last] + half), scale.y(below ? below[last] : 0));
    for (let bin = last; below && bin >= first; bin--) {
      pen.lineTo(scale.x(stack.t_s[bin]), scale.y(below[bin]));
    }
    pen.lineTo(scale.x(stack.t_s[first] - half), scale.y(below ? below[first] : 0));
    pen.closePath();
  }
}

/** Draw the upper edge of a layer: 0 W is a line, no reading is none. */
export function drawEdge(stack: Stack, layer: number, scale: IScale, pen: IPen): void {
  const top = stack.tops[layer];
  const half = stack.bin_s / 2;
  for (const { first, last } of stretchesOf(stack, layer)) {
    pen.moveTo(scale.x(stack.t_s[first] - half), scale.y(top[first]));
    for (let bin = first; bin <= last; bin++) {
      pen.lineTo(scale.x(stack.t_s[bin]), scale.y(top[bin]));
    }
    pen.lineTo(scale.x(stack.t_s[last] + half), scale.y(top[last]));
  }
}

/**
 * Draw what is not known, up to `top_w`: above the top of the stack where some domain has no reading (`state` PARTIAL), the
 * whole height where none has (NOTHING).
 */
export function drawUnknown(
  stack: Stack,
  state: typeof PARTIAL | typeof NOTHING,
  top_w: number,
  scale: IScale,
  pen: IPen
): void {
  const half = stack.bin_s / 2;
  const known = (bin: number) => (state === PARTIAL ? stack.total_w(bin) : 0);
  const together = (bin: number, next: number) => stack.readers[bin] === stack.readers[next];
  const unknown = (bin: number) => stack.state[bin] === state;
  for (const { first, last } of stretches(stack.length, unknown, together)) {
    pen.moveTo(scale.x(stack.t_s[first] - half), scale.y(top_w));
    pen.lineTo(scale.x(stack.t_s[last] + half), scale.y(top_w));
    pen.lineTo(scale.x(stack.t_s[last] + half), scale.y(known(last)));
    for (let bin = last; bin >= first; bin--) {
      pen.lineTo(scale.x(stack.t_s[bin]), scale.y(known(bin)));
    }
    pen.lineTo(scale.x(stack.t_s[first] - half), scale.y(known(first)));
    pen.closePath();
  }
}

/** Tops of the watt axis within a decade, and the step of their ticks: at most four steps. */
const TOPS: readonly (readonly [number, number])[] = [
  [1, 0.5],
  [1.5, 0.5],
  [2, 0.5],
  [3, 1],
  [4, 1],
  [6, 2],
  [8, 2],
  [10, 5]
];

/** The watt axis: where it ends, and its ticks from 0 on. */
export interface IWattAxis {
  top_w: number;
  ticks_w: number[];
}

/**
 * An axis that holds `max_w`. It grows at once and shrinks only when less than half of it is used, so that a load which
 * wavers around a step does not make it jump.
 */
export function wattAxis(max_w: number, before: IWattAxis | null): IWattAxis {
  if (before && max_w <= before.top_w && max_w >= before.top_w / 2) {
    return before;
  }
  const wanted = Math.max(1, max_w * 1.04);
  const decade = 10 ** Math.floor(Math.log10(wanted));
  const [top, step] = TOPS.find(([size]) => size * decade >= wanted) ?? TOPS[TOPS.length - 1];
  const count = Math.round(top / step);
  return {
    top_w: top * decade,
    ticks_w: Array.from({ length: count + 1 }, (_, tick) => tick * step * decade)
  };
}

/** The time axis: ticks in seconds before now, and what stands under them: "−5 min", "−4", "now". */
export function timeTicks(span_s: number, now: string): { at_s: number[]; labels: string[] } {
  const inMinutes = span_s > 120;
  const unit_s = inMinutes ? 60 : 1;
  const count = span_s % (5 * unit_s) === 0 && span_s / unit_s <= 5 ? 5 : 4;
  const at_s = Array.from({ length: count + 1 }, (_, tick) => -span_s + (tick * span_s) / count);
  const labels = at_s.map((at, tick) => {
    if (tick === count) {
      return now;
    }
    const amount = `−${Number((-at / unit_s).toFixed(1))}`;
    return tick === 0 ? `${amount} ${inMinutes ? 'min' : 's'}` : amount;
  });
  return { at_s, labels };
}

/** Milliseconds between two drawings: a pixel's worth of time, in whole half seconds. */
export function drawingPace_ms(span_s: number, width_px: number): number {
  const pixel_ms = (span_s * 1000) / Math.max(1, width_px);
  return Math.max(1, Math.ceil(pixel_ms / 500)) * 500;
}
