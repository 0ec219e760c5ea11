/**
 * Numbers as people read them, exactly as greennb/views/format.py writes them: both read tests/data/format/format.json.
 * What is missing or not finite is "not measured", never 0; an estimate carries "~"; ends of intervals are rounded
 * outward, and no total is written finer than its interval.
 */
import type { Method } from './wire';

/** What stands where there is no number. */
export const NOT_MEASURED = 'not measured';

const MINUS = '−';
const S_PER_H = 3600;
const PREFIXES: Record<number, string> = {
  [-9]: 'n',
  [-6]: 'µ',
  [-3]: 'm',
  0: '',
  3: 'k',
  6: 'M',
  9: 'G',
  12: 'T'
};
/** Significant digits of a total, however small its interval: nobody reads more. */
const MOST_DIGITS = 4;

type Maybe = number | null;

/** Joules with an SI prefix: "41.2 J"; "~41 J" where they are estimated. */
export function joules(value: Maybe, method: Method | null = null): string {
  return quantity(value, 'J', method);
}

/** Watts with an SI prefix: "43.9 W"; "~44 W" where they are estimated. */
export function watts(value: Maybe, method: Method | null = null): string {
  return quantity(value, 'W', method);
}

/** `value_j` joules written as watt hours: "3.44 Wh". */
export function wattHours(value_j: Maybe, method: Method | null = null): string {
  return quantity(value_j === null ? null : value_j / S_PER_H, 'Wh', method);
}

/** Grams with two significant digits, in mg, g, kg or t: carbon intensities are not known better. */
export function grams(value: Maybe, method: Method | null = null): string {
  const mark = markOf(method);
  if (finite(value) && Math.abs(value / 1000 / 1000) >= 1) {
    return mark + scaled(value / 1000 / 1000, 't', 2, 0, 12);
  }
  return number(value, 'g', mark, 2, 3);
}

/** Grams of CO2 equivalent: "4.5 mg CO2e". */
export function co2e(value: Maybe, method: Method | null = null): string {
  const text = grams(value, method);
  return text === NOT_MEASURED ? text : `${text} CO2e`;
}

/**
 * A total with its 95 % interval, in one unit: "1.23 kJ ± 0.04" where symmetric, "~41 J (28–60)" where estimated. A total
 * without an interval stands alone.
 */
export function energy(total_j: Maybe, low_j: Maybe, high_j: Maybe, method: Method | null): string {
  if (!finite(total_j)) {
    return NOT_MEASURED;
  }
  if (!finite(low_j) || !finite(high_j)) {
    return joules(total_j, method);
  }
  const below = Math.max(0, total_j - low_j);
  const above = Math.max(0, high_j - total_j);
  if (below === 0 && above === 0) {
    return joules(total_j, method);
  }
  const exponent = prefixExponent(total_j || Math.max(below, above));
  const scale = tenTo(exponent);
  const total = total_j / scale;
  const places = decimalsFor(total, Math.min(...[below, above].filter(side => side > 0)) / scale);
  const head = `${markOf(method)}${fixed(total, places)} ${PREFIXES[exponent]}J`;
  if (method !== 'estimated' && Math.abs(below - above) <= 0.05 * Math.max(below, above)) {
    return `${head} ± ${outward(Math.max(below, above) / scale, places, true)}`;
  }
  return `${head} (${range(low_j / scale, high_j / scale, places)})`;
}

/** A range of joules in one unit, rounded outward: "28–60 J". */
export function interval(low_j: Maybe, high_j: Maybe): string {
  if (!finite(low_j) || !finite(high_j)) {
    return NOT_MEASURED;
  }
  const exponent = prefixExponent(Math.max(Math.abs(low_j), Math.abs(high_j)));
  const scale = tenTo(exponent);
  const places = decimalsFor((low_j + high_j) / 2 / scale, (high_j - low_j) / 2 / scale);
  return `${range(low_j / scale, high_j / scale, places)} ${PREFIXES[exponent]}J`;
}

/** What to divide by, and the SI prefix, for an axis that goes up to `largest`: 9100 gives [1000, "k"]. */
export function siStep(largest: number): [number, string] {
  const exponent = Number.isFinite(largest) ? prefixExponent(largest) : 0;
  return [tenTo(exponent), PREFIXES[exponent]];
}

/** A duration: "210 µs", "93.0 ms", "0.93 s", "71.2 s", "14 min 5 s", "3 h 12 min", "2 d 4 h". */
export function seconds(value: Maybe): string {
  if (!finite(value)) {
    return NOT_MEASURED;
  }
  const sign = value < 0 ? MINUS : '';
  const size = Math.abs(value);
  if (size === 0) {
    return '0 s';
  }
  if (size < 0.0995) {
    return sign + scaled(size, 's', 3, -9, -3);
  }
  if (size < 9.995) {
    return `${sign}${withPlaces(size, 2)} s`;
  }
  if (size < 119.5) {
    return `${sign}${withPlaces(size, size < 99.95 ? 1 : 0)} s`;
  }
  return sign + clock(size);
}

/** A share (1 is the whole): "62 %"; `signed` writes "+4 %" and "−38 %". */
export function percent(fraction: Maybe, signed = false): string {
  if (!finite(fraction)) {
    return NOT_MEASURED;
  }
  const value = fraction * 100;
  if (value !== 0 && Math.abs(value) < 0.05) {
    return value > 0 ? '<0.1 %' : `>${MINUS}0.1 %`;
  }
  const places = Math.abs(value) >= 9.95 || value === 0 ? 0 : 1;
  const text = Math.abs(value) >= 1e6 ? twoDigits(value) : fixed(value, places);
  return `${signed && value > 0 ? '+' : ''}${text.replace(/\.0$/, '')} %`;
}

// eslint-disable-next-line no-control-regex -- terminal escapes are what is looked for
const ANSI = /\x1b\[[0-?]*[ -/]*[@-~]|\x9b[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-_]?/g;

/**
 * Foreign text on one line of at most `width` characters. Terminal escapes, control characters and invisible format
 * characters (bidirectional overrides among them) are taken out, white space is one blank, what is too long ends in "…".
 */
export function plain(text: string, width: number): string {
  const line = text
    .slice(0, 40 * width + 400) // a label may be megabytes; escapes take some room
    .replace(ANSI, '')
    .replace(/[\t\n\v\f\r\x85\u2028\u2029]/g, ' ')
    .replace(/\p{C}/gu, '')
    .replace(/\s+/g, ' ')
    .trim();
  const characters = Array.from(line);
  if (characters.length <= width) {
    return line;
  }
  return width > 0
    ? `${characters
        .slice(0, width - 1)
        .join('')
        .trimEnd()}…`
    : '';
}

function finite(value: Maybe): value is number {
  return value !== null && Number.isFinite(value);
}

function markOf(method: Method | null): string {
  return method === 'estimated' ? '~' : '';
}

function quantity(value: Maybe, unit: string, method: Method | null): string {
  return number(value, unit, markOf(method), method === 'estimated' ? 2 : 3);
}

function number(value: Maybe, unit: string, mark: string, digits: number, highest = 12): string {
  return finite(value) ? mark + scaled(value, unit, digits, -9, highest) : NOT_MEASURED;
}

function scaled(value: number, unit: string, digits: number, lowest: number, highest: number): string {
  const exponent = Math.min(highest, Math.max(lowest, prefixExponent(value, digits)));
  const part = value / tenTo(exponent);
  const size = Math.abs(part);
  if (size >= 1e6 || (size > 0 && size < 1e-3)) {
    return `${scientific(part, digits)} ${PREFIXES[exponent]}${unit}`.replace(/-/g, MINUS);
  }
  return `${part ? fixed(part, digits - 1 - magnitude(part, digits)) : '0'} ${PREFIXES[exponent]}${unit}`;
}

/** The power of ten of `value` once it is rounded to `digits` significant digits; 0 for 0. */
function magnitude(value: number, digits = 3): number {
  return value
    ? Number(
        Math.abs(value)
          .toExponential(digits - 1)
          .split('e')[1]
      )
    : 0;
}

/** The exponent of the SI prefix that suits `value`. */
function prefixExponent(value: number, digits = 3): number {
  return Math.min(12, Math.max(-9, 3 * Math.floor(magnitude(value, digits) / 3)));
}

/** Decimals for a total: one digit of its half-width (two where that starts with 1 or 2), 2 to 4 of its own. */
function decimalsFor(total: number, halfWidth: number): number {
  const size = magnitude(total);
  if (halfWidth <= 0) {
    return 2 - size;
  }
  const decade = magnitude(halfWidth, 6); // rounded first: 0.3 / 0.1 is 2.9999999999999996
  const places = -decade + (Number(withPlaces(halfWidth / tenTo(decade), 5)) < 3 ? 1 : 0);
  return total ? Math.max(1 - size, Math.min(MOST_DIGITS - 1 - size, places)) : places;
}

/** An end of an interval, rounded away from the middle. */
function outward(value: number, places: number, up: boolean): string {
  const step = tenTo(-places);
  const steps = value / step;
  const whole = up ? Math.ceil(steps - 1e-6) : Math.floor(steps + 1e-6);
  return whole ? fixed(whole * step, places) : '0';
}

function range(low: number, high: number, places: number): string {
  const dash = low < 0 || high < 0 ? ' to ' : '–'; // "−5–−1" cannot be read
  return `${outward(low, places, false)}${dash}${outward(high, places, true)}`;
}

/** `value` with `places` places (negative rounds to tens, hundreds) and a real minus sign. */
function fixed(value: number, places: number): string {
  const size = Math.abs(value);
  const text = places >= 0 ? withPlaces(size, places) : whole(roundTo(size, tenTo(-places)));
  return `${value < 0 && /[1-9]/.test(text) ? MINUS : ''}${text}`;
}

/** `value` (>= 0) with `places` (>= 0) decimals. Exact ties go to even as in Python; `toFixed` would round them up. */
export function withPlaces(value: number, places: number): string {
  const text = value < 1e21 ? value.toFixed(places) : whole(value);
  return halfway(value, places) ? evenBelow(text) : text;
}

/** Whether `value` lies exactly between two numbers of so many decimals. */
function halfway(value: number, places: number): boolean {
  const shifted = value * tenTo(places);
  if (Math.abs(shifted - Math.floor(shifted) - 0.5) > 1e-6) {
    return false;
  }
  const rest = value
    .toFixed(Math.min(100, places + 60))
    .split('.')[1]
    .slice(places);
  return /^50*$/.test(rest);
}

/** The even one of two neighbours, of which `upper` is the larger. */
function evenBelow(upper: string): string {
  const last = Number(upper[upper.length - 1]);
  return last % 2 ? upper.slice(0, -1) + (last - 1) : upper;
}

/** `value` (>= 0) to the nearest multiple of `step`, ties to even; the remainder of a division is exact. */
function roundTo(value: number, step: number): number {
  const rest = value % step;
  const below = value - rest;
  const up = rest > step / 2 || (rest === step / 2 && (below / step) % 2 === 1);
  return up ? below + step : below;
}

/** All digits of a whole number: above 1e21 `toFixed` gives up. */
function whole(value: number): string {
  return BigInt(value).toString();
}

/** "1.50e+07", as Python writes it: at least two digits of exponent. */
function scientific(value: number, digits: number): string {
  const [mantissa, exponent] = value.toExponential(digits - 1).split('e');
  const rest = value.toExponential(60).split('e')[0].replace(/[-.]/g, '').slice(digits);
  const even = /^50*$/.test(rest) ? evenBelow(mantissa) : mantissa;
  return `${even}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}

/** Two significant digits of a large number, without zeros at the end: "1.5e+07". */
export function twoDigits(value: number): string {
  return scientific(value, 2).replace('.0e', 'e');
}

/** Correctly rounded, as literals are; `10 ** n` is not everywhere. */
function tenTo(exponent: number): number {
  return Number(`1e${exponent}`);
}

function clock(value: number): string {
  const minutes = Math.floor(roundTo(value, 1) / 60);
  const rest = roundTo(value, 1) % 60;
  if (minutes < 60) {
    return rest ? `${minutes} min ${rest} s` : `${minutes} min`;
  }
  const inMinutes = roundTo(value / 60, 1);
  const hours = Math.floor(inMinutes / 60);
  if (hours < 48) {
    return inMinutes % 60 ? `${hours} h ${inMinutes % 60} min` : `${hours} h`;
  }
  const inHours = roundTo(value / 60 / 60, 1);
  const days = Math.floor(inHours / 24);
  if (days >= 1e6) {
    return `${twoDigits(days)} d`;
  }
  return inHours % 24 ? `${days} d ${inHours % 24} h` : `${days} d`;
}
