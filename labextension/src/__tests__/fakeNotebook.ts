/** An open notebook at the boundary: cells, metadata and what a widget does with them. */
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';

import { FakeKernel, FakeSession } from './fakeKernel';

class FakeModel {
  constructor(ids: string[]) {
    this.sharedModel = {
      cells: ids.map(id => new FakeCell(id)),
      insertCell: (index: number, cell: { source: string }) => {
        this.sharedModel.cells.splice(index, 0, new FakeCell(`new-${index}`, cell.source));
        this.cells.changed.emit(undefined);
      }
    };
  }

  sharedModel: { cells: FakeCell[]; insertCell(index: number, cell: { source: string }): void };
  cells = { changed: new Signal<object, void>({}) };
  metadata: Record<string, unknown> = {};
  metadataChanged = new Signal<object, { key: string }>({});
  readOnly = false;

  getMetadata(key: string): unknown {
    return this.metadata[key];
  }

  setMetadata(key: string, value: unknown): void {
    this.metadata[key] = JSON.parse(JSON.stringify(value));
    this.metadataChanged.emit({ key });
  }

  deleteMetadata(key: string): void {
    delete this.metadata[key];
    this.metadataChanged.emit({ key });
  }

  /** Move, delete or bring back cells. */
  reorder(ids: string[]): void {
    this.sharedModel.cells = ids.map(id => new FakeCell(id));
    this.cells.changed.emit(undefined);
  }
}

class FakeCell {
  constructor(
    private readonly _id: string,
    private _source = `# ${_id}\nfit()`
  ) {}

  metadata: Record<string, unknown> = {};
  /** Steps of its undo history. */
  steps = 0;

  getId(): string {
    return this._id;
  }

  getSource(): string {
    return this._source;
  }

  setSource(source: string): void {
    this._source = source;
  }

  getMetadata(key: string): unknown {
    return this.metadata[key];
  }

  transact(act: () => void): void {
    this.steps++;
    act();
  }
}

export class FakePanel {
  constructor(
    ids: string[] = ['a', 'b', 'c'],
    readonly kernel = new FakeKernel()
  ) {
    this.session = this.sessionContext = new FakeSession(kernel);
    this.context = { sessionContext: this.session, localPath: 'train.ipynb' };
    const model = new FakeModel(ids);
    this.model = model;
    this.content = {
      model,
      modelChanged: new Signal<object, void>({}),
      activeCellIndex: 0,
      mode: 'edit',
      scrolledTo: [] as number[],
      deselectAll: () => undefined,
      activate: () => undefined,
      scrollToItem: async (index: number) => void this.content.scrolledTo.push(index)
    };
  }

  readonly session: FakeSession;
  readonly sessionContext: FakeSession;
  readonly context: object;
  readonly model: FakeModel;
  readonly content: any;
  readonly disposed = new Signal<this, void>(this);
  isDisposed = false;

  get panel(): NotebookPanel {
    return this as unknown as NotebookPanel;
  }

  dispose(): void {
    this.isDisposed = true;
    this.disposed.emit();
  }
}

export class FakeTracker {
  panels: FakePanel[] = [];
  currentWidget: FakePanel | null = null;
  widgetAdded = new Signal<this, FakePanel>(this);
  currentChanged = new Signal<this, FakePanel | null>(this);

  get tracker(): INotebookTracker {
    return this as unknown as INotebookTracker;
  }

  forEach(act: (panel: FakePanel) => void): void {
    this.panels.forEach(act);
  }

  open(panel: FakePanel): void {
    this.panels.push(panel);
    this.widgetAdded.emit(panel);
    this.show(panel);
  }

  show(panel: FakePanel | null): void {
    this.currentWidget = panel;
    this.currentChanged.emit(panel);
  }
}
