/** What each cell of a notebook cost: its latest run, how many there were, and what changed. */
import { placeName, rootsOf, totalOf } from './total';
import type { ICellCost, IChange, IRun, ITotal } from './tokens';
import type { IMeasurement } from './wire';

/** Runs that are remembered; the oldest go first. */
export const MOST_RUNS = 10_000;

/** A notebook's cells in its order, and what they cost together as they stand. */
export interface IAccount {
  cells: readonly ICellCost[];
  total: ITotal;
}

export class Runs {
  constructor(private readonly _most = MOST_RUNS) {}

  /** All runs that are remembered, oldest first. */
  get all(): readonly IRun[] {
    return this._runs;
  }

  /** Remember a run; false where it is known already, as after a reload. */
  add(run: IRun): boolean {
    if (this._ids.has(run.measurement.id)) {
      return false;
    }
    this._ids.add(run.measurement.id);
    insertByTime(this._runs, run);
    if (this._runs.length > this._most * 1.1) {
      const dropped = this._runs.splice(0, this._runs.length - this._most); // many at once: moving the rest is dear
      dropped.forEach(old => this._ids.delete(old.measurement.id));
    }
    this._histories = null;
    return true;
  }

  /** The account of a notebook whose cells are `order` now; `open` is the window that runs. */
  account(order: readonly string[], open: string | null): IAccount {
    const histories = this._byCell(open);
    const found: { id: string; index: number; history: ICellHistory }[] = [];
    order.forEach((id, index) => {
      const history = histories.get(id);
      if (history !== undefined) {
        found.push({ id, index, history });
      }
    });
    const total = totalOf(found.map(({ history }) => history.latest.measurement));
    const cells = found.map(({ id, index, history }) => ({
      id,
      index,
      run: history.latest,
      runs: history.runs,
      change: history.before && changeOf(history.before.measurement, history.latest.measurement),
      share: shareOf(history.latest.measurement, total)
    }));
    return { cells, total };
  }

  /** Runs by cell, without those inside another's window: their joules are that one's already. */
  private _byCell(open: string | null): ReadonlyMap<string, ICellHistory> {
    if (this._histories === null || this._open !== open) {
      const histories = new Map<string, ICellHistory>();
      for (const run of this._runs) {
        const { cell_id, parent_id } = run.measurement;
        if (cell_id === null || (parent_id !== null && (parent_id === open || this._ids.has(parent_id)))) {
          continue;
        }
        const before = histories.get(cell_id);
        histories.set(cell_id, {
          latest: run,
          before: before === undefined ? null : whole(before.latest) ? before.latest : before.before,
          runs: (before?.runs ?? 0) + 1
        });
      }
      this._histories = histories;
      this._open = open;
    }
    return this._histories;
  }

  private _runs: IRun[] = [];
  private _ids = new Set<string>();
  private _histories: ReadonlyMap<string, ICellHistory> | null = null;
  private _open: string | null = null;
}

/** What a kernel tells of its past may come after what it has just measured. */
export function insertByTime(runs: IRun[], run: IRun): void {
  let at = runs.length;
  while (at > 0 && runs[at - 1].measurement.started_at > run.measurement.started_at) {
    at--; // ISO 8601 in UTC: the order of the texts is the order in time
  }
  runs.splice(at, 0, run);
}

/** `before` is the latest earlier run that came to its end. */
interface ICellHistory {
  latest: IRun;
  before: IRun | null;
  runs: number;
}

function whole(run: IRun): boolean {
  return run.measurement.status === 'ok';
}

/**
 * How `now` differs from `before`; null where the two do not measure the same: one broke off, has no joules, or stands
 * for other hardware.
 */
export function changeOf(before: IMeasurement, now: IMeasurement): IChange | null {
  if (before.status !== 'ok' || now.status !== 'ok' || !sameHardware(before, now)) {
    return null;
  }
  if (before.total_j === null || now.total_j === null || before.total_j <= 0) {
    return null;
  }
  return { ratio: now.total_j / before.total_j - 1, distinct: apart(before, now) };
}

function apart(a: IMeasurement, b: IMeasurement): boolean {
  if (a.low_j === null || a.high_j === null || b.low_j === null || b.high_j === null) {
    return false;
  }
  return a.high_j < b.low_j || b.high_j < a.low_j;
}

function sameHardware(a: IMeasurement, b: IMeasurement): boolean {
  const names = (of: IMeasurement): string => rootsOf(of).map(placeName).sort().join('\n\n');
  return names(a) === names(b);
}

function shareOf(measurement: IMeasurement, total: ITotal): number | null {
  return measurement.total_j === null || total.total_j === null || total.total_j <= 0
    ? null
    : Math.min(1, Math.max(0, measurement.total_j / total.total_j));
}
