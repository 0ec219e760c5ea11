/** What a cell's badge says, in words and numbers only. */
import type { TranslationBundle } from '@jupyterlab/translation';

import { co2e, percent, seconds, watts } from './format';
import type { ICellCost, IChange, IPanelSettings } from './tokens';
import {
  amountWithInterval,
  carbonWords,
  faultSentences,
  METHODS,
  roundedAmount,
  statusWords
} from './words';

/** A badge in words. */
export interface IBadgeText {
  /** On the badge itself: "~41 J". */
  text: string;
  /** Everything else, a line each. */
  tooltip: string;
  /** What a screen reader says. */
  name: string;
  /** What the badge's look depends on. */
  look: 'measured' | 'estimated' | 'unavailable' | 'running';
  /** Whether the code ended badly, or something could not be read. */
  flawed: boolean;
  /** 0 to 1, or null where there is no bar to draw. */
  heat: number | null;
}

/** The badge of a cell that runs now. */
export function runningBadge(trans: TranslationBundle): IBadgeText {
  return {
    text: trans.__('measuring…'),
    tooltip: trans.__('greennb measures this cell while it runs.'),
    name: trans.__('Energy of this cell: being measured. Open the energy panel.'),
    look: 'running',
    flawed: false,
    heat: null
  };
}

/** The badge of a cell that has been measured. */
export function costBadge(
  cost: ICellCost,
  settings: Pick<IPanelSettings, 'units' | 'heat'>,
  trans: TranslationBundle
): IBadgeText {
  const { measurement } = cost.run;
  const { total_j, method } = measurement;
  const total = roundedAmount(measurement, settings.units);
  const tooltip = tooltipLines(cost, settings.units, trans);
  return {
    text: total_j === null ? '– J' : total,
    tooltip: tooltip.join('\n'),
    name: trans.__('Energy of this cell: %1. Open the energy panel.', spoken(cost, total, trans)),
    look: total_j === null ? 'unavailable' : method === 'estimated' ? 'estimated' : 'measured',
    flawed: measurement.partial || statusWords(measurement.status) !== '',
    heat: settings.heat && total_j !== null ? cost.share : null
  };
}

/** A change since the last run in words; a change within the intervals' overlap is none that could be shown. */
export function changeWords(change: IChange, trans: TranslationBundle): string {
  return change.distinct
    ? trans.__('%1 since the last run', percent(change.ratio, true))
    : trans.__('No difference from the last run can be shown');
}

function spoken(cost: ICellCost, total: string, trans: TranslationBundle): string {
  const { method, total_j, status } = cost.run.measurement;
  const how = total_j !== null && method === 'estimated' ? trans.__('estimated') : '';
  return [total.replace('~', ''), how, statusWords(status)].filter(part => part).join(', ');
}

function tooltipLines(cost: ICellCost, units: IPanelSettings['units'], trans: TranslationBundle): string[] {
  const { measurement } = cost.run;
  const { method, mean_w, total_j } = measurement;
  const power = mean_w === null ? '' : trans.__(', %1 on average', watts(mean_w, method));
  const lines = [
    total_j === null
      ? trans.__('Not measured')
      : trans.__('%1 at 95 %', amountWithInterval(measurement, units)),
    `${seconds(measurement.duration_s)}${power}`,
    method === null ? '' : `${method}: ${METHODS[method]}`,
    carbonWords(measurement) || (measurement.co2e_g === null ? '' : co2e(measurement.co2e_g, method)),
    cost.change === null ? '' : changeWords(cost.change, trans),
    cost.share === null ? '' : trans.__("%1 of the notebook's energy", percent(cost.share)),
    statusWords(measurement.status),
    ...faultSentences(measurement)
      .slice(0, 3)
      .map(({ reason, hint }) => (hint ? `${reason}. ${hint}` : reason))
  ];
  return lines.filter(line => line);
}
