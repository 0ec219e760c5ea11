import type { IDisposable } from '@lumino/disposable';

/** Does something at most once in `wait_ms`, however often it is asked for: the last wish is not lost. */
export class Soon implements IDisposable {
  constructor(
    private readonly _act: () => void,
    private readonly _wait_ms = 100
  ) {}

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  please(): void {
    if (this._timer === 0 && !this._isDisposed) {
      this._timer = window.setTimeout(() => {
        this._timer = 0;
        this._act();
      }, this._wait_ms);
    }
  }

  dispose(): void {
    this._isDisposed = true;
    window.clearTimeout(this._timer);
    this._timer = 0;
  }

  private _timer = 0;
  private _isDisposed = false;
}
