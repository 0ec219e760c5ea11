/** A finding's numbers in words, as greennb/views/advice.py has them, and its source as text and links. */
import type { TranslationBundle } from '@jupyterlab/translation';

import { joules, percent, plain, seconds, watts } from '../format';
import type { IPanelSettings } from '../tokens';
import type { IFinding } from '../wire';
import { amount } from '../words';
import { shortTime } from './text';

/** What ran through what would change: the amount, and the words after it. Null where it is not known. */
export function stakeWords(
  { at_stake_j, at_stake_s, method }: IFinding,
  units: IPanelSettings['units'],
  trans: TranslationBundle
): [string, string] | null {
  const time = at_stake_s === null ? '' : shortTime(at_stake_s);
  if (at_stake_j === null) {
    return time ? [time, trans.__('ran through this, joules not measured')] : null;
  }
  const through = time ? trans.__('· %1 ran through this', time) : trans.__('ran through this');
  return [amount(at_stake_j, method, units), through];
}

/** What "at stake" means: it must not be read as a saving. */
export function stakeMeaning(trans: TranslationBundle): string {
  return trans.__(
    'What ran through this is the most that changing it could save, not what it will save. Only a measured trial shows a saving.'
  );
}

/** Bytes as memory is counted, largest first. */
const BYTES: readonly (readonly [number, string])[] = [
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB']
];

/** A number with its unit: "62 %", "3,000 rows", "2.35 s"; the unit "1" is none, and one that `name` says is left out. */
export function quantity(value: number | null, unit: string, name = ''): string {
  if (value === null) {
    return '–';
  }
  switch (unit) {
    case 's':
      return seconds(value);
    case 'ms':
      return seconds(value / 1000);
    case '%':
      return percent(value / 100);
    case 'J':
      return joules(value);
    case 'W':
      return watts(value);
    case 'B':
      return bytes(value);
    default:
      return `${number(value)} ${counted(value, unit, name)}`.trimEnd();
  }
}

function bytes(value: number): string {
  const [size, unit] = BYTES.find(([size]) => Math.abs(value) >= 0.95 * size) ?? [1, 'B'];
  return `${Number((value / size).toPrecision(3))} ${unit}`;
}

/** What is counted: "3 calls", "1 call". */
function counted(value: number, unit: string, name: string): string {
  const word = plain(unit, 20);
  if (unit === '1' || name.toLowerCase().split(' ').includes(word.toLowerCase())) {
    return '';
  }
  return value === 1 ? word.replace(/(?<=..)s$/, '') : word;
}

function number(value: number): string {
  const whole = Number.isInteger(value) && Math.abs(value) < 1e12;
  return whole ? value.toLocaleString('en') : String(Number(value.toPrecision(4)));
}

/** A piece of a source: text, or an address on the web with the name of the place that it leads to. */
export type SourcePart = { text: string; url: null } | { text: string; url: string };

const ADDRESS = /https?:\/\/[^\s<>"'`|\\^{}]+/gi;
const AT_ITS_END = /[.,;:!?)\]]+$/;

/** A source in pieces. Only whole http and https addresses without a user in them are links; all else is text. */
export function sourceParts(source: string, width = 600): SourcePart[] {
  const text = plain(source, width);
  const parts: SourcePart[] = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const found = match[0].replace(AT_ITS_END, '');
    const place = placeOf(found);
    if (place !== null && match.index !== undefined) {
      parts.push({ text: text.slice(end, match.index), url: null }, { text: place, url: found });
      end = match.index + found.length;
    }
  }
  parts.push({ text: text.slice(end), url: null });
  return parts.filter(part => part.text !== '');
}

/** Where an address leads; null where it is none, or one that hides it behind a user's name. */
function placeOf(address: string): string | null {
  if (address.endsWith('…')) {
    return null; // cut
  }
  try {
    const { protocol, username, password, hostname } = new URL(address);
    const known = (protocol === 'https:' || protocol === 'http:') && !username && !password;
    return known ? hostname.replace(/^www\./, '') : null;
  } catch {
    return null;
  }
}
