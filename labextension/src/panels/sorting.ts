/** The order of the table of cells. */
import type { ICellCost } from '../tokens';

export type SortKey = 'cell' | 'joules' | 'seconds' | 'watts' | 'grams' | 'change';

export interface ISort {
  key: SortKey;
  down: boolean;
}

/** Without being asked, a table shows no more cells than this: the dearest. */
export const FEW = 200;

/** A press on a column: the dearest first, and the other way round when it is pressed again. */
export function pressed(sort: ISort, key: SortKey): ISort {
  return key === sort.key ? { key, down: !sort.down } : { key, down: key !== 'cell' };
}

/** The cells in the order of `sort`; what is not known comes last, whichever the way. */
export function sorted(cells: readonly ICellCost[], sort: ISort, net: boolean): ICellCost[] {
  const value = (cell: ICellCost) => valueOf(cell, sort.key, net);
  return [...cells].sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a === null || b === null) {
      return (a === null ? 1 : 0) - (b === null ? 1 : 0);
    }
    return (sort.down ? b - a : a - b) || one.index - other.index;
  });
}

/** The `count` dearest cells, in the order in which they came. */
export function dearest(cells: readonly ICellCost[], count: number): readonly ICellCost[] {
  if (cells.length <= count) {
    return cells;
  }
  const kept = new Set(sorted(cells, { key: 'joules', down: true }, false).slice(0, count));
  return cells.filter(cell => kept.has(cell));
}

function valueOf(cell: ICellCost, key: SortKey, net: boolean): number | null {
  const { measurement } = cell.run;
  switch (key) {
    case 'cell':
      return cell.index;
    case 'joules':
      return net ? measurement.net_j : measurement.total_j;
    case 'seconds':
      return measurement.duration_s;
    case 'watts':
      return measurement.mean_w;
    case 'grams':
      return measurement.co2e_g;
    case 'change':
      return cell.change ? cell.change.ratio : null;
  }
}
