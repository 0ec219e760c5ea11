/** A front's notebook as a user works in it: open, run, restart, save. */
import { expect } from '@jupyterlab/galata';
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Locator, Page } from '@playwright/test';

/** What configure_jupyter_server exposes in the page. */
declare global {
  interface Window {
    jupyterapp: JupyterFrontEnd;
  }
}

/** A notebook as a test writes it: sources of code cells, and what differs from the usual. */
export interface INotebookText {
  cells: string[];
  kernel?: string;
  metadata?: Record<string, unknown>;
}

/** Where a page is and whose. */
export interface IPlace {
  /** Of the server, without a slash at its end. */
  address: string;
  /** The test's own folder on the server. */
  folder: string;
  /** The project: lab, notebook or lab42. */
  name: string;
  /** Whether kernels see the rig's virtual sensors. */
  virtual: boolean;
}

export class NotebookPage {
  constructor(
    readonly page: Page,
    readonly place: IPlace
  ) {}

  get address(): string {
    return this.place.address;
  }

  get name(): string {
    return this.place.name;
  }

  get virtual(): boolean {
    return this.place.virtual;
  }

  /** Write a notebook and open it; waits until its first cell is there. */
  async open(notebook: INotebookText, name = 'notebook.ipynb'): Promise<void> {
    await this.write(notebook, name);
    await this.visit(name);
  }

  /** Write a notebook to the server. */
  async write(notebook: INotebookText, name = 'notebook.ipynb'): Promise<void> {
    const kernel = notebook.kernel ?? 'python3';
    const cells = notebook.cells.map((source, at) => ({
      cell_type: 'code',
      id: `cell-${at}`,
      metadata: {},
      source,
      outputs: [],
      execution_count: null
    }));
    const metadata = { kernelspec: { name: kernel, display_name: kernel }, ...notebook.metadata };
    const content = { cells, metadata, nbformat: 4, nbformat_minor: 5 };
    const answer = await this.page.request.put(`${this.address}/api/contents/${this.place.folder}/${name}`, {
      data: { type: 'notebook', format: 'json', content }
    });
    expect(answer.ok()).toBe(true);
  }

  /** Go to a notebook that is on the server, or again to the same one. */
  async visit(name = 'notebook.ipynb', address = this.address): Promise<void> {
    const path = this.name === 'notebook' ? 'notebooks' : 'lab/tree';
    await this.page.goto(`${address}/${path}/${this.place.folder}/${name}`);
    await this.cell(0).waitFor();
  }

  /** A cell of the notebook in front, by its place; only cells near the window are in the page. */
  cell(at: number): Locator {
    return this.page.locator(`.jp-Notebook .jp-Cell[data-windowed-list-index="${at}"]`).first();
  }

  output(at: number): Locator {
    return this.cell(at).locator('.jp-OutputArea-output');
  }

  /** Make a cell the active one and scroll to it. */
  async jump(at: number): Promise<void> {
    await this.page.evaluate(async index => {
      const { content } = window.jupyterapp.shell.currentWidget as NotebookPanel;
      content.deselectAll();
      content.activeCellIndex = index;
      await content.scrollToItem(index);
    }, at);
  }

  /** Start a cell without waiting for its end. */
  async start(at: number): Promise<void> {
    await this.jump(at);
    // The command ends with the cell, so it is not waited for.
    await this.page.evaluate(() => void window.jupyterapp.commands.execute('notebook:run-cell'));
  }

  /** Run a cell to its end. */
  async run(at: number): Promise<void> {
    await this.ready();
    // A new kernel counts from 1 again, so that a quick run may end with the count that the cell had.
    await this.page.evaluate(index => {
      const { content } = window.jupyterapp.shell.currentWidget as NotebookPanel;
      Object.assign(content.widgets[index].model, { executionCount: null });
    }, at);
    await this.start(at);
    await this.ended(at);
  }

  /** Wait until a cell that was started has ended. */
  async ended(at: number, timeout = 40_000): Promise<void> {
    await expect.poll(() => this.count(at), { timeout }).not.toBeNull();
    await this.ready();
  }

  /** A cell's execution count; null where it has none, as while it runs. */
  async count(at: number): Promise<number | null> {
    return this.page.evaluate(index => {
      const { content } = window.jupyterapp.shell.currentWidget as NotebookPanel;
      const { executionCount } = content.widgets[index].model as unknown as { executionCount: number | null };
      return executionCount;
    }, at);
  }

  /** Wait until the notebook's kernel is idle. */
  async ready(): Promise<void> {
    await expect.poll(() => this.kernelStatus(), { timeout: 40_000 }).toBe('idle');
  }

  /** What the page knows of the kernel; "none" where there is none. */
  async kernelStatus(): Promise<string> {
    return this.page.evaluate(() => {
      const panel = window.jupyterapp.shell.currentWidget as NotebookPanel | null;
      return panel?.sessionContext?.session?.kernel?.status ?? 'none';
    });
  }

  /** Restart the kernel, without the dialog that asks. */
  async restart(): Promise<void> {
    await this.page.evaluate(async () => {
      const panel = window.jupyterapp.shell.currentWidget as NotebookPanel;
      await panel.sessionContext.session!.kernel!.restart();
    });
  }

  /** Shut the kernel down; the notebook stays without one. */
  async shutdown(): Promise<void> {
    await this.page.evaluate(async () => {
      const panel = window.jupyterapp.shell.currentWidget as NotebookPanel;
      await panel.sessionContext.shutdown();
    });
  }

  async save(): Promise<void> {
    await this.page.evaluate(async () => {
      await (window.jupyterapp.shell.currentWidget as NotebookPanel).context.save();
    });
  }

  /** What greennb keeps in the notebook's metadata. */
  async metadata(): Promise<unknown> {
    return this.page.evaluate(() => {
      const { content } = window.jupyterapp.shell.currentWidget as NotebookPanel;
      return content.model!.getMetadata('greennb') as unknown;
    });
  }

  async command(id: string, args: Record<string, string> = {}): Promise<void> {
    await this.page.evaluate(
      async ([name, given]) => {
        await window.jupyterapp.commands.execute(name, given);
      },
      [id, args] as const
    );
  }

  /** Change the theme, and wait until it holds. */
  async theme(name: string): Promise<void> {
    await this.command('apputils:change-theme', { theme: name });
    await expect(this.page.locator('body')).toHaveAttribute('data-jp-theme-name', name);
  }

  /** Close what the front itself says of a kernel or a server that is gone. */
  async closeDialogs(): Promise<void> {
    const buttons = this.page.locator('.jp-Dialog .jp-Dialog-footer button');
    while (await buttons.count()) {
      await buttons.first().click();
    }
  }
}
