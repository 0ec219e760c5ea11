/** Joules by source line, as greennb/views/lines.py shows them. */
import { joules, percent, plain, seconds, twoDigits } from '../format';
import type { IMeasurement } from '../wire';
import { element } from './dom';

/** One line's part of the total. */
export interface ILineEnergy {
  where: string;
  lineno: number;
  source: string;
  seconds: number;
  samples: number;
  joules: number;
}

/** A window's joules by line, most first: greennb/model/lines.py. */
export interface ILines {
  lines: ILineEnergy[];
  elsewhere_j: number;
  elsewhere_s: number;
  samples: number;
  period_s: number;
  longest_s: number;
  threads: number;
  thread_lines: string[];
  gpu: boolean;
  cost_s: number;
}

/** Lines in sight; the rest of a long cell is folded away. */
const SHOWN = 12;

/** Lines that are taken at all: a cell has hundreds at most, a forged output may have millions. */
const MOST = 2000;

/** A line seen in fewer samples than this has no figure of its own. */
const FEW = 5;

/** A gap of so many periods between two looks is worth a word. */
const LONG_GAP = 5;

/** The lines of a measurement's JSON; null where there are none that can be read. */
export function parseLines(data: unknown): ILines | null {
  const of = record(record(data)?.lines);
  if (of === null || !Array.isArray(of.lines)) {
    return null;
  }
  const numbers = ['elsewhere_j', 'elsewhere_s', 'samples', 'period_s', 'longest_s', 'threads', 'cost_s'];
  if (!numbers.every(name => isAmount(of[name]))) {
    return null;
  }
  const lines = of.lines.slice(0, MOST).map(parseLine);
  if (lines.includes(null)) {
    return null;
  }
  const threadLines = Array.isArray(of.thread_lines) ? of.thread_lines : [];
  return {
    ...(of as unknown as ILines), // its numbers were looked at above
    lines: lines as ILineEnergy[],
    thread_lines: threadLines
      .slice(0, 20)
      .filter((line): line is string => typeof line === 'string')
      .map(line => plain(line, 60)),
    gpu: of.gpu === true
  };
}

/** The source with a heat column, the heaviest lines in sight, and what the figures are. */
export function linesPart(lines: ILines, measurement: IMeasurement): Node[] {
  const place = (a: ILineEnergy, b: ILineEnergy): number =>
    a.where < b.where ? -1 : a.where > b.where ? 1 : a.lineno - b.lineno;
  const heavy = lines.lines.slice(0, SHOWN).sort(place);
  const rest = lines.lines.slice(SHOWN).sort(place);
  const parts: Node[] = heavy.length ? [table(heavy, lines, measurement)] : [];
  if (rest.length) {
    const summary = element('summary', '', `${rest.length} more lines`);
    parts.push(element('details', '', summary, table(rest, lines, measurement)));
  }
  parts.push(element('div', 'gnb-Energy-foot', lineNotes(lines, measurement).join(' ')));
  return parts;
}

/** A line's joules; "< x" where it was seen too seldom to say more. */
export function lineFigure(line: ILineEnergy, lines: ILines, measurement: IMeasurement): string {
  if (line.samples >= FEW) {
    return joules(line.joules, measurement.method);
  }
  return `< ${joules(line.joules + 2 * u_j(line, lines), measurement.method)}`;
}

/** What the figures by line are, what they leave out, and what looking cost. */
export function lineNotes(lines: ILines, measurement: IMeasurement): string[] {
  const duration_s = Math.max(measurement.duration_s, 1e-9);
  const told = [
    `By line is a model: the total shared out by where the cell's thread was, seen ${lines.samples} times; ` +
      'time in a library counts for the line that called it.'
  ];
  if (lines.gpu) {
    told.push(
      'A GPU works on by itself: its joules count for the line that runs then, often one that waits for it.'
    );
  }
  if (lines.elsewhere_s > 0.05 * duration_s) {
    told.push(`${seconds(lines.elsewhere_s)} passed outside the notebook's lines, awaiting something.`);
  }
  if (lines.threads) {
    told.push(
      `${lines.threads} other thread${lines.threads === 1 ? '' : 's'} ran lines of the notebook too ` +
        `(${lines.thread_lines.join(', ')}): what they drew counts for the cell's own line of that moment.`
    );
  }
  if (lines.longest_s > LONG_GAP * lines.period_s) {
    told.push(
      `The longest time between two looks was ${seconds(lines.longest_s)}: lines within it are guesses.`
    );
  }
  const part = Number(twoDigits((100 * lines.cost_s) / duration_s));
  told.push(`Looking took ${seconds(lines.cost_s)} of one CPU, ${part} % of the time.`);
  return told;
}

/** Standard uncertainty of a line's joules from the number of samples alone (binomial). */
function u_j(line: ILineEnergy, lines: ILines): number {
  if (!lines.samples) {
    return Infinity;
  }
  const total_j = lines.lines.reduce((sum, each) => sum + each.joules, lines.elsewhere_j);
  const part = Math.min(1, line.samples / lines.samples);
  return total_j * Math.sqrt(Math.max(part * (1 - part), 1 / lines.samples / 4) / lines.samples);
}

function table(rows: ILineEnergy[], lines: ILines, measurement: IMeasurement): HTMLElement {
  const several = new Set(rows.map(line => line.where)).size > 1;
  const heads = ['joules', 'share', 'time', 'line', 'source'].map(name => {
    const head = element('th', '', name);
    head.scope = 'col';
    return head;
  });
  const body = rows.map(line => row(line, lines, measurement, several));
  return element(
    'table',
    'gnb-Energy-lines',
    element('thead', '', element('tr', '', ...heads)),
    element('tbody', '', ...body)
  );
}

function row(line: ILineEnergy, lines: ILines, measurement: IMeasurement, several: boolean): HTMLElement {
  const share = measurement.total_j ? line.joules / measurement.total_j : 0;
  const bar = element(
    'i',
    measurement.method === 'estimated' ? 'gnb-Energy-part gnb-mod-est' : 'gnb-Energy-part'
  );
  bar.style.width = `${(100 * Math.min(1, Math.max(0, share))).toFixed(1)}%`;
  const heat = element('td', 'gnb-Energy-heatcell', bar);
  heat.title = `${percent(share)} of the total`;
  return element(
    'tr',
    '',
    element('td', '', lineFigure(line, lines, measurement)),
    heat,
    element('td', '', seconds(line.seconds)),
    element('td', '', several ? `${line.where}:${line.lineno}` : `${line.lineno}`),
    element('td', '', element('code', '', line.source))
  );
}

function parseLine(value: unknown): ILineEnergy | null {
  const of = record(value);
  if (of === null || typeof of.where !== 'string' || typeof of.source !== 'string') {
    return null;
  }
  const numbers = ['lineno', 'seconds', 'samples', 'joules'];
  if (!numbers.every(name => isAmount(of[name]))) {
    return null;
  }
  const line = of as unknown as ILineEnergy; // looked at above
  return { ...line, where: plain(line.where, 40), source: line.source.slice(0, 2000) };
}

function record(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
}

function isAmount(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
