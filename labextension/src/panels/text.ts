/** Words and numbers that only the panel writes. */
import { energy, seconds } from '../format';
import type { IPanelSettings } from '../tokens';
import type { Method } from '../wire';
import { amount, amountWithInterval } from '../words';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes in decimal units, as vendors print them on the card: "31 GB", "1.5 GB". */
export function bytes(value_b: number): string {
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value_b)) / 3)));
  const value = value_b / 1000 ** power;
  return `${value >= 9.95 || power === 0 ? value.toFixed(0) : value.toFixed(1)} ${UNITS[power]}`;
}

/** Memory in use of how much there is, in one unit: "31 / 80 GB"; "" where it is not known. */
export function memory(used_b: number | null, total_b: number | null): string {
  if (used_b === null) {
    return '';
  }
  if (total_b === null) {
    return bytes(used_b);
  }
  const [total, unit] = bytes(total_b).split(' ');
  const [used, ownUnit] = bytes(used_b).split(' ');
  return ownUnit === unit ? `${used} / ${total} ${unit}` : `${used} ${ownUnit} / ${total} ${unit}`;
}

/** What a total is written from. */
export interface IAmount {
  total_j: number | null;
  low_j: number | null;
  high_j: number | null;
  method: Method | null;
}

/** A total and its interval apart, so that they can be set in two sizes: ["12.4 kJ", "± 0.3"]. */
export function amountAndInterval(of: IAmount, units: IPanelSettings['units']): [string, string] {
  const text = amountWithInterval(of, units);
  const cut = text.search(/ [±(]/);
  return cut < 0 ? [text, ''] : [text.slice(0, cut), text.slice(cut + 1)];
}

/** The other unit, for those who think in it: watt-hours beside joules and joules beside watt-hours. */
export function otherUnit(
  total_j: number | null,
  method: Method | null,
  units: IPanelSettings['units']
): string {
  return total_j === null ? '' : amount(total_j, method, units === 'J' ? 'Wh' : 'J');
}

/** Net joules with the 95 % interval of their standard uncertainty, where that is known. */
export function netAmount(net_j: number, net_u_j: number | null, method: Method | null): IAmount {
  const half_j = net_u_j === null ? null : 1.96 * net_u_j;
  return {
    total_j: net_j,
    low_j: half_j === null ? null : Math.max(0, net_j - half_j),
    high_j: half_j === null ? null : net_j + half_j,
    method
  };
}

/** The text of a cell's interval for a tooltip: "9.10 kJ ± 0.20". */
export function inFull(of: IAmount): string {
  return energy(of.total_j, of.low_j, of.high_j, of.method);
}

/** An amount that somebody has set, without zeros at the end: "20 kJ". */
export function roundAmount(value_j: number, units: IPanelSettings['units']): string {
  return amount(value_j, null, units)
    .replace(/(\.\d*?)0+ /, '$1 ')
    .replace('. ', ' ');
}

/** A duration in few characters, for a table: "210 ms", "4.0 s", "50 s", "2.3 min", "1.4 h". */
export function shortTime(value_s: number): string {
  if (value_s < 0.0995) {
    return seconds(value_s);
  }
  const [size, unit] = value_s < 119.5 ? [1, 's'] : value_s < 7170 ? [60, 'min'] : [3600, 'h'];
  const value = value_s / size;
  return `${value.toFixed(value < 9.95 ? 1 : 0)} ${unit}`;
}

/** A duration in whole seconds: "8 s", "14 min", "1 h 20 min". */
export function wholeTime(value_s: number): string {
  const whole_s = Math.max(0, Math.round(value_s));
  return whole_s < 120 ? `${whole_s} s` : seconds(whole_s);
}
