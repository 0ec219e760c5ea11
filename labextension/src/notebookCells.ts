/** The cells of an open notebook: which there are, where they are, and one more. */
import type { NotebookPanel } from '@jupyterlab/notebook';

/** The ids of a notebook's cells in their order; the same as each `cell.model.id`. */
export function cellIds(panel: NotebookPanel): string[] {
  const model = panel.isDisposed ? null : panel.content.model;
  return model?.sharedModel.cells.map(cell => cell.getId()) ?? [];
}

/** Place and code of each cell by its id. */
export function sourcesById(panel: NotebookPanel): Map<string, { index: number; source: string }> {
  const cells = panel.content.model?.sharedModel.cells ?? [];
  return new Map(cells.map((cell, index) => [cell.getId(), { index, source: cell.getSource() }]));
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
