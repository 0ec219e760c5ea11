/** One cell's badge in the page. */
import type { Cell } from '@jupyterlab/cells';
import type { IDisposable } from '@lumino/disposable';

import type { IBadgeText } from './badgeText';

const BADGE_CLASS = 'gnb-Badge';

/**
 * Let Enter and Space press a badge: the notebook's shortcuts for them would enter the cell. All other shortcuts work as
 * ever. To be called with each key before the application sees it.
 */
export function keepKeys(event: KeyboardEvent): void {
  const { key, target } = event;
  if (target instanceof Element && target.classList.contains(BADGE_CLASS)) {
    target.toggleAttribute('data-lm-suppress-shortcuts', key === 'Enter' || key === ' ');
  }
}

/**
 * A button in the prompt's column, under the cell's number. It belongs to one cell widget, comes into being when that is
 * first seen, and is filled only while it is: of thousands of badges those on screen cost something.
 */
export class CellBadge implements IDisposable {
  constructor(
    readonly cell: Cell,
    private readonly _clicked: () => void
  ) {}

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Whether the cell is on screen. */
  set seen(seen: boolean) {
    this._seen = seen;
    this._draw();
  }

  /** Show what `text` gives; it is called while the cell is seen, and each time it comes back. */
  show(text: () => IBadgeText): void {
    this._text = text;
    this._draw();
  }

  dispose(): void {
    this._isDisposed = true;
    this._node?.remove();
  }

  private _draw(): void {
    const { cell } = this;
    if (this._isDisposed || cell.isDisposed || !this._seen || this._text === null) {
      return;
    }
    if (cell.isPlaceholder()) {
      this._drawOnceReady();
      return;
    }
    if (this._node === null) {
      this._node = this._attach();
    }
    if (this._node !== null) {
      fill(this._node, this._text());
    }
  }

  private _drawOnceReady(): void {
    if (!this._waits) {
      this._waits = true;
      void this.cell.ready.then(() => {
        this._waits = false;
        this._draw();
      });
    }
  }

  /** The wrapper of prompt and editor is a positioned box of every cell, also of one whose code is collapsed. */
  private _attach(): HTMLElement | null {
    const host = this.cell.node.querySelector(':scope > .jp-Cell-inputWrapper');
    if (host === null) {
      return null;
    }
    const node = document.createElement('button');
    node.type = 'button';
    node.className = BADGE_CLASS;
    node.addEventListener('click', this._clicked);
    const text = document.createElement('span');
    text.className = 'gnb-Badge-text';
    const heat = document.createElement('span');
    heat.className = 'gnb-Badge-heat';
    node.append(text, heat);
    host.append(node);
    return node;
  }

  private _node: HTMLElement | null = null;
  private _text: (() => IBadgeText) | null = null;
  private _seen = false;
  private _waits = false;
  private _isDisposed = false;
}

/** Write what has changed, and nothing else: in a notebook of thousands of cells each write costs the page a layout. */
function fill(node: HTMLElement, said: IBadgeText): void {
  const [text, heat] = Array.from(node.children) as HTMLElement[];
  if (text.textContent !== said.text) {
    text.textContent = said.text;
  }
  set(node, 'title', said.tooltip);
  set(node, 'aria-label', said.name);
  set(node, 'data-look', said.look);
  node.classList.toggle('gnb-mod-flawed', said.flawed);
  if (heat.hidden !== (said.heat === null)) {
    heat.hidden = said.heat === null;
  }
  // A custom property that only clips: the bar grows without a layout.
  heat.style.setProperty('--gnb-share', `${(100 * Math.min(1, Math.max(0, said.heat ?? 0))).toFixed(1)}%`);
}

function set(node: HTMLElement, name: string, value: string): void {
  if (node.getAttribute(name) !== value) {
    node.setAttribute(name, value);
  }
}
