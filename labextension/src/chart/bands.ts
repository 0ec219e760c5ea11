/** Cells over the time axis: which cell ran when. */
import type { IRun, IRunning } from '../tokens';

/** A cell's run as a band. Times are seconds before now. */
export interface IBand {
  from_s: number;
  to_s: number;
  /** Its execution count as the notebook writes it: "[4]". */
  mark: string;
  /** The first line of the cell. */
  title: string;
  cellId: string | null;
  /** It runs still: the band has no right edge. */
  open: boolean;
}

/** The bands of the last `span_s` seconds, oldest first. A window within another's has none of its own. */
export function bands(
  runs: readonly IRun[],
  running: IRunning | null,
  now_s: number,
  span_s: number
): IBand[] {
  const found: IBand[] = [];
  for (const run of runs) {
    if (run.t1_s - now_s < -span_s || run.t0_s > now_s || run.measurement.parent_id !== null) {
      continue;
    }
    found.push({
      from_s: Math.max(-span_s, run.t0_s - now_s),
      to_s: Math.min(0, run.t1_s - now_s),
      mark: markOf(run.measurement.execution_count),
      title: run.source || run.measurement.label,
      cellId: run.measurement.cell_id,
      open: false
    });
  }
  if (running && running.t_s <= now_s) {
    found.push({
      from_s: Math.max(-span_s, running.t_s - now_s),
      to_s: 0,
      mark: running.count === null ? '[*]' : markOf(running.count),
      title: running.label,
      cellId: running.cell_id,
      open: true
    });
  }
  return found;
}

/** The band at `t_s`, the latest where several meet. */
export function bandAt(all: readonly IBand[], t_s: number): IBand | null {
  for (let index = all.length - 1; index >= 0; index--) {
    if (all[index].from_s <= t_s && t_s <= all[index].to_s) {
      return all[index];
    }
  }
  return null;
}

function markOf(count: number | null): string {
  return count === null ? '' : `[${count}]`;
}
