/** Which cell cost most. */
import type { ICellCost } from './tokens';

/** The measured cells that are still in the notebook, the dearest first. */
export function byCost(cells: readonly ICellCost[]): ICellCost[] {
  const cost = (cell: ICellCost): number => cell.run.measurement.total_j ?? -1;
  return cells
    .filter(cell => cell.index >= 0 && cell.run.measurement.total_j !== null)
    .sort((a, b) => cost(b) - cost(a));
}

/** The cell after `id` in the order of cost, from the top again after the last; the dearest where `id` is not among them. */
export function nextDearest(cells: readonly ICellCost[], id: string | null): ICellCost | null {
  const ordered = byCost(cells);
  const place = ordered.findIndex(cell => cell.id === id);
  return ordered[(place + 1) % ordered.length] ?? null;
}
