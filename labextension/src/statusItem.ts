/** The status item: watts and the session's joules, in JupyterLab's status bar. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import { leafIcon } from './icons';
import { statusText } from './statusText';
import type { IEnergyModel, INotebookEnergy } from './tokens';

/** No sample for so long, and the watts on the bar are not of now any more. */
const STALE_MS = 6000;

/** The bar is written at most so often: digits that change faster cannot be read. */
const PACE_MS = 1000;

/** Listens only: it never asks a kernel for samples, and shows those that the panel asked for. */
export class StatusItem extends Widget {
  constructor(
    private readonly _model: IEnergyModel,
    open: () => void,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('gnb-Status');
    this._button = document.createElement('button');
    this._button.type = 'button';
    this._button.addEventListener('click', open);
    this._text = document.createElement('span');
    leafIcon.element({ container: this._button, tag: 'span', className: 'gnb-Status-leaf' });
    this._button.append(this._text);
    this.node.append(this._button);
    _model.currentChanged.connect(this._follow, this);
    _model.settingsChanged.connect(this._soon, this);
    this._follow();
  }

  /** Whether there is a notebook with a kernel of which greennb can tell something. */
  get isActive(): boolean {
    const kind = this._energy?.state.kind;
    return kind !== undefined && kind !== 'not-python' && kind !== 'no-kernel';
  }

  get activeChanged(): ISignal<this, void> {
    return this._activeChanged;
  }

  override dispose(): void {
    if (!this.isDisposed) {
      clearTimeout(this._timer);
      clearTimeout(this._fade);
      this._energy = null;
      Signal.clearData(this);
      super.dispose();
    }
  }

  private _follow(): void {
    const energy = this._model.current;
    if (energy === this._energy) {
      return;
    }
    if (this._energy !== null) {
      this._energy.sampled.disconnect(this._sampled, this);
      this._energy.cellsChanged.disconnect(this._soon, this);
      this._energy.stateChanged.disconnect(this._stateChanged, this);
    }
    this._energy = energy;
    this._sampledAt = -Infinity;
    energy?.sampled.connect(this._sampled, this);
    energy?.cellsChanged.connect(this._soon, this);
    energy?.stateChanged.connect(this._stateChanged, this);
    this._stateChanged();
  }

  private _stateChanged(): void {
    this._activeChanged.emit();
    this._soon();
  }

  private _sampled(): void {
    this._sampledAt = performance.now();
    this._soon();
  }

  private _soon(): void {
    if (this._timer === undefined && !this.isDisposed) {
      const wait = Math.max(0, this._writtenAt + PACE_MS - performance.now());
      this._timer = setTimeout(() => this._write(), wait);
    }
  }

  private _write(): void {
    this._timer = undefined;
    this._writtenAt = performance.now();
    if (this._energy === null || this._energy.isDisposed) {
      return;
    }
    const live = this._energy.state.kind === 'live' && this._writtenAt - this._sampledAt < STALE_MS;
    const said = statusText(this._energy, live, this._model.settings.units, this._trans);
    this._text.textContent = said.text;
    this._button.title = said.tooltip;
    this._button.setAttribute('aria-label', this._trans.__('Energy: %1', said.tooltip.replace(/\n/g, '; ')));
    this.toggleClass('gnb-mod-over', said.over);
    clearTimeout(this._fade);
    if (live) {
      this._fade = setTimeout(() => this._soon(), STALE_MS);
    }
  }

  private readonly _button: HTMLButtonElement;
  private readonly _text: HTMLElement;
  private readonly _activeChanged = new Signal<this, void>(this);
  private _energy: INotebookEnergy | null = null;
  private _sampledAt = -Infinity;
  private _writtenAt = -Infinity;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  /** Runs out when no more samples come. */
  private _fade: ReturnType<typeof setTimeout> | undefined;
}
