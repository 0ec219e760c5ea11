/** What greennb keeps in a notebook's metadata, under the key `greennb`: the budget, and findings that were dismissed. */
import type { INotebookModel } from '@jupyterlab/notebook';
import type { JSONObject } from '@lumino/coreutils';

import { finite, isRecord, some, text } from './checks';
import type { IFinding } from './wire';

const KEY = 'greennb';
/** Dismissals that are kept; the oldest go first. */
const MOST = 500;

export interface INotebookMemory {
  budget_j: number | null;
  /** Findings that were taken off the list, by `findingName`. */
  dismissed: string[];
  /** Rules that are never shown in this notebook. */
  never: string[];
}

/** A finding among the findings of a notebook. */
export function findingName({ code, cell_id }: IFinding): string {
  return `${code} ${cell_id ?? ''}`.trimEnd();
}

/** What a notebook remembers; whatever else stands there is nothing. */
export function recall(model: INotebookModel | null): INotebookMemory {
  const found: unknown = model?.getMetadata(KEY);
  const from = isRecord(found) ? found : {};
  const budget_j = finite(from.budget_j) ?? null;
  const texts = some(text(200), MOST);
  return {
    budget_j: budget_j !== null && budget_j > 0 ? budget_j : null,
    dismissed: texts(from.dismissed) ?? [],
    never: texts(from.never) ?? []
  };
}

/** Have a notebook remember; nothing is written for nothing. */
export function remember(model: INotebookModel, memory: INotebookMemory): void {
  const { budget_j } = memory;
  const [dismissed, never] = [memory.dismissed, memory.never].map(names => [...new Set(names)].slice(-MOST));
  if (budget_j === null && !dismissed.length && !never.length) {
    model.deleteMetadata(KEY);
    return;
  }
  const kept: JSONObject = { budget_j, dismissed, never };
  model.setMetadata(KEY, kept);
}

/** Whether a change of metadata is about what greennb keeps. */
export function isOurs(change: { key: string }): boolean {
  return change.key === KEY;
}
