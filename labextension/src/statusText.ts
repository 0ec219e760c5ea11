/** What the status bar says of the notebook in front. */
import type { TranslationBundle } from '@jupyterlab/translation';

import { percent, watts } from './format';
import type { INotebookEnergy, IPanelSettings } from './tokens';
import type { IDomain, Method } from './wire';
import { amount, amountWithInterval, roundedAmount } from './words';

/** The status item in words. */
export interface IStatusText {
  /** On the bar: "139 W · 12.4 kJ". */
  text: string;
  /** In words, a line each. */
  tooltip: string;
  over: boolean;
}

/** The watts of a moment, of the domains that count in a total. */
export interface IPowerNow {
  watts: number | null;
  method: Method | null;
  /** A domain that counts has no reading. */
  partial: boolean;
}

type Known = Pick<
  INotebookEnergy,
  'state' | 'hello' | 'power' | 'runs' | 'sessionTotal' | 'notebookTotal' | 'budget_j'
>;

/** All domains together that no other holds; `byDomain` is in the order of `domains`. */
export function powerNow(domains: readonly IDomain[], byDomain: readonly (number | null)[]): IPowerNow {
  let sum: number | null = null;
  let partial = false;
  let method: Method | null = null;
  domains.forEach((domain, at) => {
    const value = byDomain[at] ?? null;
    if (!domain.root) {
      return;
    }
    if (value === null) {
      partial = true;
      return;
    }
    sum = (sum ?? 0) + value;
    method = worse(method, domain.method);
  });
  return { watts: sum, method, partial };
}

/** The status of `energy`; `live` is whether samples are coming in, which they do only while the panel is in sight. */
export function statusText(
  energy: Known,
  live: boolean,
  units: IPanelSettings['units'],
  trans: TranslationBundle
): IStatusText {
  const { sessionTotal, budget_j } = energy;
  const power = live ? nowWords(energy, trans) : lastWords(energy, trans);
  const session =
    sessionTotal === null || sessionTotal.total_j === null
      ? ''
      : `${sessionTotal.partial ? '≥ ' : ''}${roundedAmount(sessionTotal, units)}`;
  const over = budget_j !== null && (energy.notebookTotal.total_j ?? 0) > budget_j;
  const tooltip = [
    energy.state.kind === 'live' ? '' : energy.state.sentence,
    power.words,
    sessionTotal === null || session === ''
      ? ''
      : trans._n(
          'This session: %2 in %1 run',
          'This session: %2 in %1 runs',
          sessionTotal.runs,
          amountWithInterval(sessionTotal, units)
        ) + partialWords(sessionTotal.partial, trans),
    budgetWords(energy, units, trans),
    trans.__('Click to open the energy panel.')
  ];
  const text = [power.short, session, over ? trans.__('over budget') : ''];
  return {
    text: text.filter(part => part).join(' · '),
    tooltip: tooltip.filter(line => line).join('\n'),
    over
  };
}

function nowWords(energy: Known, trans: TranslationBundle): { short: string; words: string } {
  const { hello, power } = energy;
  if (hello === null || power.latest === null) {
    return { short: '', words: '' };
  }
  const now = powerNow(hello.domains, power.latest.watts);
  if (now.watts === null) {
    return { short: '', words: trans.__('The power cannot be read now.') };
  }
  const short = watts(now.watts, now.method);
  const missing = now.partial ? trans.__(', partial: a sensor gives no reading') : '';
  return { short, words: trans.__('Now: %1', short) + missing };
}

function lastWords(energy: Known, trans: TranslationBundle): { short: string; words: string } {
  const last = energy.runs[energy.runs.length - 1]?.measurement;
  if (!last || last.mean_w === null) {
    return { short: '', words: '' };
  }
  const mean = watts(last.mean_w, last.method);
  return { short: trans.__('⌀ %1', mean), words: trans.__('The last cell: %1 on average', mean) };
}

function budgetWords(energy: Known, units: IPanelSettings['units'], trans: TranslationBundle): string {
  const { notebookTotal, budget_j } = energy;
  if (notebookTotal.total_j === null) {
    return '';
  }
  const total = amountWithInterval(notebookTotal, units);
  if (budget_j === null) {
    return trans.__('This notebook: %1', total) + partialWords(notebookTotal.partial, trans);
  }
  const budget = amount(budget_j, null, units);
  const part = notebookTotal.total_j / budget_j;
  return part > 1
    ? trans.__('This notebook: %1, over its budget of %2 by %3', total, budget, percent(part - 1))
    : trans.__('This notebook: %1, %3 of its budget of %2', total, budget, percent(part));
}

function partialWords(partial: boolean, trans: TranslationBundle): string {
  return partial ? trans.__(', partial: something could not be read') : '';
}

const WORST_LAST: readonly Method[] = ['counter', 'integrated', 'estimated'];

function worse(a: Method | null, b: Method): Method {
  return a === null || WORST_LAST.indexOf(b) > WORST_LAST.indexOf(a) ? b : a;
}
