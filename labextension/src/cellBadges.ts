/** The badges of one notebook. */
import type { Cell } from '@jupyterlab/cells';
import type { INotebookModel, Notebook, NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import { costBadge, runningBadge } from './badgeText';
import type { IBadgeText } from './badgeText';
import { CellBadge } from './cellBadge';
import type { ICellCost, INotebookEnergy, IPanelSettings } from './tokens';

/**
 * Keeps a badge at each cell that was measured or runs. What it costs follows the measured cells, not the notebook:
 * opening a notebook in which nothing was measured costs nothing.
 */
export class NotebookBadges implements IDisposable {
  constructor(
    private readonly _energy: INotebookEnergy,
    private readonly _settings: () => IPanelSettings,
    private readonly _open: () => void,
    private readonly _trans: TranslationBundle
  ) {
    this._panel = _energy.panel;
    this._panel.disposed.connect(this.dispose, this);
    this._panel.content.modelChanged.connect(this._followCells, this);
    _energy.cellsChanged.connect(this.update, this);
    this._followCells(this._panel.content);
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Bring all badges up to date before the next frame. */
  update(): void {
    if (this._frame === 0 && !this._isDisposed) {
      this._frame = requestAnimationFrame(() => {
        this._frame = 0;
        this._refresh();
      });
    }
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    cancelAnimationFrame(this._frame);
    Signal.clearData(this);
    this._observer.disconnect();
    this._badges.forEach(badge => badge.dispose());
    this._badges.clear();
  }

  /** Moving, pasting and undoing make new cell widgets, which the badges must follow. */
  private _followCells(notebook: Notebook): void {
    const cells = notebook.model?.cells ?? null;
    if (cells === this._cells) {
      return;
    }
    this._cells?.changed.disconnect(this.update, this);
    this._cells = cells;
    cells?.changed.connect(this.update, this);
    this.update();
  }

  private _refresh(): void {
    const said = this._said();
    for (const [id, badge] of this._badges) {
      if (!said.has(id) || badge.cell.isDisposed || badge.cell.model.id !== id) {
        this._observer.unobserve(badge.cell.node);
        badge.dispose();
        this._badges.delete(id);
      }
    }
    for (const [id, { index, text }] of said) {
      this._show(id, index, text);
    }
  }

  /** What each cell's badge has to say, with the cell's place in the notebook as far as it is known. */
  private _said(): Map<string, { index: number; text: () => IBadgeText }> {
    const { cells, running } = this._energy;
    const said = new Map<string, { index: number; text: () => IBadgeText }>();
    for (const cost of cells) {
      said.set(cost.id, { index: cost.index, text: () => this._text(cost) });
    }
    if (running?.cell_id) {
      const index = said.get(running.cell_id)?.index ?? -1;
      said.set(running.cell_id, { index, text: () => runningBadge(this._trans) });
    }
    return said;
  }

  private _text(cost: ICellCost): IBadgeText {
    return costBadge(cost, this._settings(), this._trans);
  }

  private _show(id: string, index: number, text: () => IBadgeText): void {
    const known = this._badges.get(id);
    const cell = known?.cell ?? this._find(id, index);
    if (cell === null) {
      return;
    }
    const badge = known ?? this._add(id, cell);
    badge.show(text);
  }

  private _add(id: string, cell: Cell): CellBadge {
    const badge = new CellBadge(cell, this._open);
    this._badges.set(id, badge);
    this._byNode.set(cell.node, badge);
    this._observer.observe(cell.node);
    return badge;
  }

  private _find(id: string, index: number): Cell | null {
    const { widgets } = this._panel.content;
    const there = widgets[index];
    const cell = there?.model.id === id ? there : widgets.find(each => each.model.id === id);
    return cell?.model.type === 'code' ? cell : null;
  }

  private readonly _panel: NotebookPanel;
  private readonly _badges = new Map<string, CellBadge>();
  private readonly _byNode = new WeakMap<Element, CellBadge>();
  /** Which cells are on screen: what a notebook calls its viewport is, in most of its modes, all of it. */
  private readonly _observer = new IntersectionObserver(entries =>
    entries.forEach(({ target, isIntersecting }) => {
      const badge = this._byNode.get(target);
      if (badge) {
        badge.seen = isIntersecting;
      }
    })
  );
  private _cells: INotebookModel['cells'] | null = null;
  private _frame = 0;
  private _isDisposed = false;
}
