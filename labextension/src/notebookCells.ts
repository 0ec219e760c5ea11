/** The cells of an open notebook: which there are, where they are, and one more. */
import type { NotebookPanel } from '@jupyterlab/notebook';

import type { IRun } from './tokens';

/** The ids of a notebook's cells in their order; the same as each `cell.model.id`. */
export function cellIds(panel: NotebookPanel): string[] {
  const model = panel.isDisposed ? null : panel.content.model;
  return model?.sharedModel.cells.map(cell => cell.getId()) ?? [];
}

/** Runs with the place (-1 where it is gone) and the code of their cell. */
export function withCells(panel: NotebookPanel, runs: readonly IRun[]): IRun[] {
  const cells = panel.content.model?.sharedModel.cells ?? [];
  const known = new Map(cells.map((cell, index) => [cell.getId(), { index, source: cell.getSource() }]));
  return runs.map(run => {
    const cell = known.get(run.measurement.cell_id ?? '');
    return { ...run, cell_index: cell?.index ?? -1, cell_source: cell?.source ?? run.source };
  });
}

/** Scroll to a cell and select it; false where it is gone. */
export function jumpTo(panel: NotebookPanel, cellId: string): boolean {
  const index = cellIds(panel).indexOf(cellId);
  if (index < 0) {
    return false;
  }
  const { content } = panel;
  content.deselectAll();
  content.activeCellIndex = index;
  content.mode = 'command';
  void content.scrollToItem(index, 'center');
  content.activate();
  return true;
}

/** Put code into a new cell below `cellId`, or the active one where there is no such cell, and select it. It is not run. */
export function insertCode(panel: NotebookPanel, source: string, cellId: string | null = null): void {
  const { content } = panel;
  const { model } = content;
  if (model === null || model.readOnly) {
    return;
  }
  const place = cellId === null ? -1 : cellIds(panel).indexOf(cellId);
  const above = place < 0 ? content.activeCellIndex : place;
  const index = Math.min(above + 1, model.sharedModel.cells.length);
  model.sharedModel.insertCell(index, { cell_type: 'code', source, metadata: { trusted: true } });
  content.activeCellIndex = index;
  content.deselectAll();
  void content.scrollToItem(index, 'smart');
}

/** A cell's source; null where it is gone. */
export function sourceOf(panel: NotebookPanel, cellId: string): string | null {
  return cellOf(panel, cellId)?.getSource() ?? null;
}

/** Replace a cell's source in one step of its own undo history; false where it can't be edited. */
export function setSource(panel: NotebookPanel, cellId: string, source: string): boolean {
  const cell = cellOf(panel, cellId);
  if (cell === undefined || panel.content.model?.readOnly || cell.getMetadata('editable') === false) {
    return false;
  }
  cell.transact(() => cell.setSource(source));
  return true;
}

function cellOf(panel: NotebookPanel, cellId: string) {
  const model = panel.isDisposed ? null : panel.content.model;
  return model?.sharedModel.cells.find(cell => cell.getId() === cellId);
}
