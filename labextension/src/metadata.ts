/** What greennb keeps in a notebook's metadata, under the key `greennb`: the budget, and findings that were dismissed. */
import type { INotebookModel, NotebookPanel } from '@jupyterlab/notebook';
import type { JSONObject } from '@lumino/coreutils';

import { finite, isRecord, some, text } from './checks';

const KEY = 'greennb';
/** Dismissals that are kept; the oldest go first. */
const MOST = 500;

export interface INotebookMemory {
  budget_j: number | null;
  /** Findings that were taken off the list, by `findingKey` (dismissals.ts). */
  dismissed: string[];
  /** Rules that are never shown in this notebook. */
  never: string[];
}

/** What a notebook remembers: in its metadata, or only here, where a notebook cannot be written. */
export class NotebookMemory {
  constructor(private readonly _panel: NotebookPanel) {}

  get now(): INotebookMemory {
    return this._unwritten ?? recall(this._panel.isDisposed ? null : this._panel.content.model);
  }

  /** Remember this from now on; where the notebook is read-only, until the page goes. */
  keep(memory: INotebookMemory): void {
    const model = this._panel.isDisposed ? null : this._panel.content.model;
    if (model === null) {
      return; // a notebook that is still read: what it remembers is not known yet
    }
    if (this.isWritable) {
      try {
        remember(model, memory);
        this._unwritten = null;
        return;
      } catch (error) {
        console.warn('greennb could not write to the metadata of this notebook.', error);
      }
    }
    this._unwritten = memory;
  }

  /** Whether what is remembered goes into the notebook's file. */
  get isWritable(): boolean {
    const { content, context, isDisposed } = this._panel;
    return !isDisposed && content.model?.readOnly === false && context.contentsModel?.writable !== false;
  }

  private _unwritten: INotebookMemory | null = null;
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
