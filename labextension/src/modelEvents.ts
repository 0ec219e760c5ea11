/** What happens to the model of an open notebook, and to the next one where it is replaced. */
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';

import { isOurs } from './metadata';

export interface IModelHandlers {
  /** The notebook has another model. */
  replaced(): void;
  /** Cells were added, moved or deleted. */
  cells(): void;
  /** What greennb remembers in the metadata is another. */
  memory(): void;
}

/** Calls the handlers until it is disposed. */
export class ModelEvents implements IDisposable {
  constructor(
    private readonly _panel: NotebookPanel,
    private readonly _handlers: IModelHandlers
  ) {
    _panel.content.modelChanged.connect(this._onModelChanged, this);
    this._listen();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._panel.content.modelChanged.disconnect(this._onModelChanged, this);
      this._forget();
    }
  }

  private _onModelChanged(): void {
    this._forget();
    this._listen();
    this._handlers.replaced();
  }

  private _listen(): void {
    const { model } = this._panel.content;
    model?.cells.changed.connect(this._onCells, this);
    model?.metadataChanged.connect(this._onMetadata, this);
    this._forget = () => {
      model?.cells.changed.disconnect(this._onCells, this);
      model?.metadataChanged.disconnect(this._onMetadata, this);
    };
  }

  private _onCells(): void {
    this._handlers.cells();
  }

  private _onMetadata(_: unknown, change: { key: string }): void {
    if (isOurs(change)) {
      this._handlers.memory();
    }
  }

  private _forget = (): void => undefined;
  private _isDisposed = false;
}
