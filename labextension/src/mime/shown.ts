/** What a person asked to see of a measurement beyond what it always shows: greennb/views/shown.py. */
import { co2e, energy, joules, NOT_MEASURED, percent, plain } from '../format';
import type { IMeasurement, Method } from '../wire';
import { netWords } from '../words';

/** Options of one showing. */
export interface IShown {
  /** One line instead of a card. */
  quiet: boolean;
  /** Lead with the joules above idle. */
  net: boolean;
  /** Show grams at all. */
  carbon: boolean;
  /** Joules that the work was given. */
  budget_j: number | null;
  /** Functional units done, and what they are. */
  per: number | null;
  unit: string;
  /** Price of a kWh in `currency`; 0 shows none. */
  price: number;
  currency: string;
  /** One line of the advisor's, '' for none. */
  advice: string;
}

const J_PER_KWH = 3.6e6;

/** The options under "shown" in the output's JSON; what is not there or no good is as if it had not been asked for. */
export function parseShown(data: unknown): IShown {
  const of = record(record(data)?.shown) ?? {};
  const advice = record(data)?.advice;
  return {
    quiet: of.quiet === true,
    net: of.net === true,
    carbon: of.carbon !== false,
    budget_j: positive(of.budget_j),
    per: positive(of.per),
    unit: typeof of.unit === 'string' ? plain(of.unit, 30) : '',
    price: positive(of.price) ?? 0,
    currency: typeof of.currency === 'string' ? plain(of.currency, 12) : '',
    advice: typeof advice === 'string' ? plain(advice, 300) : ''
  };
}

/** The number that leads: gross with its interval, or the joules above idle and what they are part of. */
export function totalWords(measurement: IMeasurement, shown: IShown): string {
  const { total_j, low_j, high_j, net_j, method } = measurement;
  const gross = energy(total_j, low_j, high_j, method);
  if (!shown.net || total_j === null) {
    return gross;
  }
  return net_j === null ? `${gross}, no idle baseline to take off` : `${netWords(measurement)}, of ${gross}`;
}

/** The budget, the price and the cost of a unit, in words; nothing where there are no joules. */
export function extraWords(measurement: IMeasurement, shown: IShown): string[] {
  const { total_j, method, pue } = measurement;
  if (total_j === null) {
    return [];
  }
  const words = [];
  if (shown.budget_j !== null) {
    words.push(budgetWords(total_j, shown.budget_j));
  }
  if (shown.price > 0) {
    words.push(money((total_j / J_PER_KWH) * (pue ?? 1) * shown.price, shown.currency, method));
  }
  if (shown.per !== null) {
    words.push(unitWords(measurement, total_j, shown.per, shown));
  }
  return words;
}

/** Whether the total is above the budget. */
export function overBudget(measurement: IMeasurement, shown: IShown): boolean {
  return shown.budget_j !== null && (measurement.total_j ?? 0) > shown.budget_j;
}

function budgetWords(total_j: number, budget_j: number): string {
  return total_j > budget_j
    ? `over its budget of ${joules(budget_j)} by ${percent(total_j / budget_j - 1)}`
    : `${percent(total_j / budget_j)} of its budget of ${joules(budget_j)}`;
}

function unitWords(measurement: IMeasurement, total_j: number, per: number, shown: IShown): string {
  const grams =
    shown.carbon && measurement.co2e_g !== null
      ? ` and ${co2e(measurement.co2e_g / per, measurement.method)}`
      : '';
  const each = joules(total_j / per, measurement.method);
  return `${each}${grams} for each of ${Number(per.toPrecision(6))} ${shown.unit || 'units'}`;
}

/** A price with two significant digits: "0.0034 EUR". */
function money(value: number, currency: string, method: Method | null): string {
  if (!Number.isFinite(value)) {
    return NOT_MEASURED;
  }
  const magnitude = value ? Number(value.toExponential(1).split('e')[1]) : 0;
  const amount =
    value && magnitude < -6 ? value.toExponential(1) : value.toFixed(value ? Math.max(0, 1 - magnitude) : 0);
  return `${method === 'estimated' ? '~' : ''}${amount} ${currency}`.trimEnd();
}

function record(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
}

function positive(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null;
}
