/**
 * What was measured, as files. The JSON is what `greennb run --json` writes, with every run besides: `greennb diff` and
 * `greennb gate` read it. The CSV has one row a run. What was not measured is null or an empty field, never 0.
 */
import { totalOf } from './total';
import type { IRun } from './tokens';
import { SCHEMA } from './wire';
import type { IMeasurement } from './wire';

/** Every run, and as `cells` the latest of each cell that is still there, in the notebook's order. */
export function toJson(runs: readonly IRun[], notebook = ''): string {
  const cells = latestOfCells(runs);
  const { total_j, low_j, high_j, net_j, method, partial, duration_s, co2e_g } = totalOf(
    cells.map(({ measurement }) => measurement)
  );
  const last = runs[runs.length - 1]?.measurement;
  const whole = {
    schema: SCHEMA,
    host: last?.host ?? '',
    notebook,
    kernel: '',
    started_at: runs[0]?.measurement.started_at ?? '',
    cells: cells.map(written),
    total_j,
    low_j,
    high_j,
    net_j,
    method,
    partial,
    duration_s,
    co2e_g,
    runs: runs.map(written)
  };
  return `${JSON.stringify(whole, null, 2)}\n`;
}

function latestOfCells(runs: readonly IRun[]): IRun[] {
  const ids = new Set(runs.map(({ measurement }) => measurement.id));
  const latest = new Map<number, IRun>();
  for (const run of runs) {
    const { parent_id } = run.measurement;
    if ((run.cell_index ?? -1) >= 0 && (parent_id === null || !ids.has(parent_id))) {
      latest.set(run.cell_index!, run);
    }
  }
  return [...latest.entries()].sort(([a], [b]) => a - b).map(([, run]) => run);
}

function written(run: IRun): object {
  const { measurement } = run;
  return {
    ...measurement,
    t0_ns: measurement.t0_ns ?? Math.round(run.t0_s * 1e9),
    t1_ns: measurement.t1_ns ?? Math.round(run.t1_s * 1e9),
    faults: measurement.faults.map(fault => ({ ...fault, t_ns: fault.t_ns ?? Math.round(run.t1_s * 1e9) })),
    cell_index: run.cell_index ?? -1,
    source: run.cell_source ?? run.source
  };
}

type Field = string | number | boolean | null | undefined;

/** A column's name, with its unit, and what stands in it. */
const COLUMNS: readonly (readonly [string, (of: IMeasurement, run: IRun) => Field])[] = [
  ['id', of => of.id],
  ['parent_id', of => of.parent_id],
  ['started_at', of => of.started_at],
  ['cell_index', (_of, run) => ((run.cell_index ?? -1) < 0 ? null : run.cell_index)],
  ['cell_id', of => of.cell_id],
  ['execution_count', of => of.execution_count],
  ['label', of => of.label],
  ['source', (_of, run) => run.cell_source ?? run.source],
  ['status', of => of.status],
  ['host', of => of.host],
  ['duration_s', of => of.duration_s],
  ['total_j', of => of.total_j],
  ['low_j', of => of.low_j],
  ['high_j', of => of.high_j],
  ['net_j', of => of.net_j],
  ['process_j', of => of.process_j],
  ['mean_w', of => of.mean_w],
  ['method', of => of.method],
  ['partial', of => of.partial],
  ['co2e_g', of => of.co2e_g],
  ['intensity_g_per_kwh', of => of.intensity?.g_per_kwh],
  ['zone', of => of.intensity?.zone],
  ['origin', of => of.intensity?.origin],
  ['pue', of => of.pue],
  ['faults', of => of.faults.map(({ reason }) => reason).join('; ')]
];

/** One row a run, oldest first; a row with a `parent_id` is part of that one. */
export function toCsv(runs: readonly IRun[]): string {
  const rows = runs.map(run => COLUMNS.map(([, of]) => field(of(run.measurement, run))));
  return [COLUMNS.map(([name]) => name), ...rows].map(row => `${row.join(',')}\r\n`).join('');
}

/** Text that a spreadsheet would run as a formula gets an apostrophe before it, as in the ledger's CSV. */
function field(value: Field): string {
  if (typeof value !== 'string') {
    return value === null || value === undefined ? '' : String(value);
  }
  const safe = /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}
