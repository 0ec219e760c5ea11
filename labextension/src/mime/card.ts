/** A measurement's card and its one line, as greennb/views/html.py and text.py make them. */
import { energy, joules, percent, plain, seconds, wattHours, watts } from '../format';
import type { IDomainEnergy, IMeasurement } from '../wire';
import {
  carbonWords,
  domainName,
  faultSentences,
  footprintWords,
  measuredBy,
  METHODS,
  notIncluded,
  partialWords,
  roots,
  statusWords
} from '../words';
import { aboveIdleWords } from './aboveIdle';
import { element, foreign, subscripted, width } from './dom';
import { linesPart } from './lines';
import type { ILines } from './lines';
import { extraWords, overBudget, totalWords } from './shown';
import type { IShown } from './shown';

/** One colour a kind of domain, as in greennb/views/style.py. */
const COLOURS: ReadonlyMap<string, string> = new Map([
  ['gpu', '#3f9b46'],
  ['cpu_package', '#2a87dc'],
  ['cpu_core', '#2a87dc'],
  ['cpu_uncore', '#2a87dc'],
  ['dram', '#9273c6'],
  ['psys', '#c27c0e'],
  ['battery', '#c27c0e'],
  ['soc', '#1f9c93']
]);

/** A kind that this page does not know. */
const GREY = '#808890';

/** One line: "~41 J (28–60) · 0.93 s · ~44 W · CPU estimated · ~4.5 mg CO2e (world average)". */
export function lineWords(measurement: IMeasurement, shown: IShown): string {
  const { duration_s, label, mean_w, method, total_j } = measurement;
  const parts = [totalWords(measurement, shown), seconds(duration_s)];
  if (total_j !== null) {
    parts.push(mean_w === null ? '' : watts(mean_w, method), measuredBy(roots(measurement)));
    parts.push(shown.carbon ? carbonWords(measurement) : '', ...extraWords(measurement, shown));
  }
  parts.push(partialWords(measurement), statusWords(measurement.status));
  const name = plain(label, 40);
  return (name ? `${name}: ` : '') + parts.filter(part => part).join(' · ');
}

/** The card. */
export function card(measurement: IMeasurement, lines: ILines | null, shown: IShown): HTMLElement {
  const node = element(
    'div',
    'gnb-Energy',
    head(measurement, shown),
    muted(factWords(measurement, shown)),
    ...bar(measurement),
    ...measurement.domains.map(part => domainRow(part, measurement)),
    ...(lines === null ? [] : linesPart(lines, measurement)),
    muted(aboveIdleWords(measurement), 'gnb-Energy-m gnb-Energy-gap'),
    faults(measurement),
    shown.advice ? element('div', 'gnb-Energy-gap', foreign(shown.advice)) : null,
    muted(footWords(measurement, shown), 'gnb-Energy-foot')
  );
  node.setAttribute('role', 'group');
  node.setAttribute('aria-label', 'energy');
  return node;
}

/** The number large, its interval beside it, how it was obtained, what is wrong, and the label. */
function head(measurement: IMeasurement, shown: IShown): HTMLElement {
  const { method } = measurement;
  const [number, spread] = split(totalWords(measurement, shown));
  const interval = element('span', 'gnb-Energy-m', spread);
  interval.title = '95 % interval';
  const name = plain(measurement.label, 60);
  return element(
    'div',
    'gnb-Energy-head',
    element('span', 'gnb-Energy-total', number),
    interval,
    method === null ? null : pill(method, `gnb-mod-${method}`, METHODS[method]),
    measurement.partial ? pill('partial', 'gnb-mod-bad') : null,
    overBudget(measurement, shown) ? pill('over budget', 'gnb-mod-bad') : null,
    measurement.status === 'ok' ? null : pill(statusWords(measurement.status), 'gnb-mod-bad'),
    name ? element('span', 'gnb-Energy-label', foreign(name)) : null
  );
}

/** "1.23 kJ ± 0.04" as "1.23 kJ" and "± 0.04"; a sentence keeps its first number large. */
function split(value: string): [string, string] {
  const starts = [' ± ', ' (', ' above', ', '].map(part => value.indexOf(part)).filter(at => at >= 0);
  const cut = Math.min(value.length, ...starts);
  return [value.slice(0, cut), value.slice(cut).trim()];
}

function pill(words: string, kind: string, title = ''): HTMLElement {
  const node = element('span', `gnb-Energy-pill ${kind}`, words);
  node.title = title;
  return node;
}

function factWords(measurement: IMeasurement, shown: IShown): string {
  const { duration_s, mean_w, method, total_j } = measurement;
  return [
    seconds(duration_s),
    mean_w === null ? '' : `${watts(mean_w, method)} on average`,
    total_j === null ? '' : wattHours(total_j, method),
    shown.carbon ? carbonWords(measurement) : '',
    ...extraWords(measurement, shown)
  ]
    .filter(part => part)
    .join(' · ');
}

/** The roots side by side, to the scale of the interval's upper end, and the interval below as a bracket. */
function bar(measurement: IMeasurement): Node[] {
  const most = measurement.high_j;
  if (!most || measurement.total_j === null) {
    return [];
  }
  const parts = roots(measurement);
  const segments = element('div', 'gnb-Energy-bar', ...parts.map(part => segment(part, most)));
  segments.setAttribute('role', 'img');
  segments.setAttribute(
    'aria-label',
    parts.map(part => `${domainName(part)} ${joules(part.gross_j, part.method)}`).join(', ')
  );
  const low = measurement.low_j ?? 0;
  const bracket = element('i', '');
  bracket.style.left = width(low, most);
  bracket.style.width = width(most - low, most);
  const interval = element('div', 'gnb-Energy-ci', bracket);
  interval.setAttribute('aria-hidden', 'true');
  return [segments, interval];
}

function segment(part: IDomainEnergy, most: number): HTMLElement {
  const node = element('i', hatched(part));
  node.style.width = width(part.gross_j, most);
  node.style.backgroundColor = COLOURS.get(part.kind) ?? GREY;
  return node;
}

function hatched(part: IDomainEnergy): string {
  return part.method === 'estimated' ? 'gnb-mod-est' : '';
}

function domainRow(part: IDomainEnergy, measurement: IMeasurement): HTMLElement {
  const tops = roots(measurement);
  const inside = !tops.includes(part);
  const ofTotal = !inside && measurement.total_j && tops.length > 1;
  const share = ofTotal ? ` · ${percent(part.gross_j / (measurement.total_j ?? NaN))}` : '';
  const swatch = element('span', `gnb-Energy-sw ${hatched(part)}`);
  swatch.style.backgroundColor = COLOURS.get(part.kind) ?? GREY;
  const how = element('span', 'gnb-Energy-m', `${part.method}${share}`);
  return element(
    'div',
    inside ? 'gnb-Energy-row gnb-mod-in' : 'gnb-Energy-row',
    swatch,
    element('span', '', inside ? 'of which ' : null, foreign(domainName(part)), ' ', how),
    element('span', '', energy(part.gross_j, part.low_j, part.high_j, part.method))
  );
}

function faults(measurement: IMeasurement): HTMLElement | null {
  const told = faultSentences(measurement).map(({ reason, hint }) =>
    element(
      'div',
      '',
      foreign(subscripted(reason)),
      hint ? element('div', 'gnb-Energy-m', foreign(subscripted(hint))) : null
    )
  );
  return told.length ? element('div', 'gnb-Energy-fault', element('b', '', 'Partial:'), ' ', ...told) : null;
}

function footWords(measurement: IMeasurement, shown: IShown): string {
  const { intensity, pue, started_at, co2e_g } = measurement;
  const words = [`Not included: ${notIncluded(measurement)}.`];
  if (intensity !== null && co2e_g !== null && shown.carbon) {
    words.push(`Carbon intensity: ${footprintWords(intensity, pue, started_at)}.`);
    const note = plain(intensity.note, 200).replace(/\.+$/, '');
    words.push(note ? `${note[0].toUpperCase()}${note.slice(1)}.` : '');
  }
  words.push(`greennb itself took ${seconds(measurement.overhead_s)}.`);
  return words.filter(part => part).join(' ');
}

function muted(words: string, className = 'gnb-Energy-m'): HTMLElement | null {
  return words ? element('div', className, subscripted(words)) : null;
}
