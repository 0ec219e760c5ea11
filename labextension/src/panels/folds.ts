/** What is folded open in a notebook's cards: by the finding, so that it outlives a resend, a change of tab and of order. */
import { useReducer } from 'react';

import type { INotebookEnergy } from '../tokens';

const folds = new WeakMap<INotebookEnergy, Map<string, boolean>>();

/** Whether `name` is open, and what opens and closes it; `initially` counts when it is first seen. */
export function useFold(
  energy: INotebookEnergy,
  name: string,
  initially = false
): [boolean, (open: boolean) => void] {
  const [, render] = useReducer((count: number) => count + 1, 0);
  const known = folds.get(energy) ?? new Map<string, boolean>();
  folds.set(energy, known);
  if (!known.has(name)) {
    known.set(name, initially);
  }
  const set = (open: boolean): void => {
    known.set(name, open);
    render();
  };
  return [known.get(name)!, set];
}
