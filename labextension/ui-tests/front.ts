/** A front (JupyterLab, Notebook 7, JupyterLab 4.2) as a user sees it: open a notebook, run cells, look at the panel. */
import { expect, galata, test as base } from '@jupyterlab/galata';
import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Locator } from '@playwright/test';

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

export class Front {
  constructor(
    readonly page: IJupyterLabPageFixture,
    /** Of the server, without a slash at its end. */
    readonly address: string,
    /** The test's own folder on the server. */
    readonly folder: string,
    /** The project's name: lab, notebook or lab42. */
    readonly name: string,
    /** Whether kernels see the rig's virtual sensors. */
    readonly virtual: boolean,
    /** What the page has complained of in its console. */
    readonly complaints: string[]
  ) {}

  /** The panel. */
  get panel(): Locator {
    return this.page.locator('#greennb-panel');
  }

  /** The leaf in the sidebar, which only JupyterLab has as a tab. */
  get leaf(): Locator {
    return this.page.locator('.jp-SideBar .lm-TabBar-tab[data-id="greennb-panel"]');
  }

  /** Write a notebook and open it; waits until its cells are there. */
  async open(notebook: INotebookText, name = 'notebook.ipynb'): Promise<void> {
    await this.write(notebook, name);
    await this.visit(name);
  }

  /** Write a notebook to the server. */
  async write(notebook: INotebookText, name = 'notebook.ipynb'): Promise<void> {
    const kernel = notebook.kernel ?? 'python3';
    const cells = notebook.cells.map((source, place) => ({
      cell_type: 'code',
      id: `cell-${place}`,
      metadata: {},
      source,
      outputs: [],
      execution_count: null
    }));
    const metadata = { kernelspec: { name: kernel, display_name: kernel }, ...notebook.metadata };
    const content = { cells, metadata, nbformat: 4, nbformat_minor: 5 };
    const answer = await this.page.request.put(`${this.address}/api/contents/${this.folder}/${name}`, {
      data: { type: 'notebook', format: 'json', content }
    });
    expect(answer.ok()).toBe(true);
  }

  /** Go to a notebook that is on the server. */
  async visit(name = 'notebook.ipynb', address = this.address): Promise<void> {
    const path = this.name === 'notebook' ? 'notebooks' : 'lab/tree';
    await this.page.goto(`${address}/${path}/${this.folder}/${name}`);
    await this.cell(0).waitFor();
  }

  /** The panel, on screen. */
  async show(): Promise<Locator> {
    await this.page.evaluate(() => window.jupyterapp.commands.execute('greennb:show-panel'));
    await expect(this.panel).toBeVisible();
    return this.panel;
  }

  /** A cell of the notebook in front, by its place. */
  cell(place: number): Locator {
    return this.page.locator(`.jp-Notebook .jp-Cell[data-windowed-list-index="${place}"]`).first();
  }

  /** Start a cell without waiting for its end. */
  async start(place: number): Promise<void> {
    await this.page.evaluate(async index => {
      const panel = window.jupyterapp.shell.currentWidget as NotebookPanel;
      panel.content.deselectAll();
      panel.content.activeCellIndex = index;
      void window.jupyterapp.commands.execute('notebook:run-cell');
    }, place);
  }

  /** Run a cell to its end. */
  async run(place: number): Promise<void> {
    await this.ready();
    await this.start(place);
    await this.ended(place);
  }

  /** Wait until a cell has been run: it has a count. */
  async ended(place: number, timeout = 40_000): Promise<void> {
    const counted = async (): Promise<boolean> =>
      this.page.evaluate(index => {
        const panel = window.jupyterapp.shell.currentWidget as NotebookPanel;
        const model = panel.content.widgets[index]!.model as unknown as { executionCount: number | null };
        return model.executionCount !== null && panel.sessionContext.session?.kernel?.status === 'idle';
      }, place);
    await expect.poll(counted, { timeout }).toBe(true);
  }

  /** Wait until the notebook's kernel is idle. */
  async ready(): Promise<void> {
    await expect.poll(() => this.kernelStatus(), { timeout: 40_000 }).toBe('idle');
  }

  /** What the page knows of the kernel; none where there is none. */
  async kernelStatus(): Promise<string> {
    return this.page.evaluate(() => {
      const panel = window.jupyterapp.shell.currentWidget as NotebookPanel | null;
      return panel?.sessionContext?.session?.kernel?.status ?? 'none';
    });
  }

  /** Restart the kernel without the dialog that asks. */
  async restart(): Promise<void> {
    await this.page.evaluate(async () => {
      const panel = window.jupyterapp.shell.currentWidget as NotebookPanel;
      await panel.sessionContext.session!.kernel!.restart();
    });
  }
}

/** Galata's test with a front; the page is empty until a notebook is opened. */
export const test = base.extend<{ front: Front }>({
  autoGoto: false,
  waitForApplication: async ({}, use) => {
    // A notebook's address opens no launcher: there is only the splash to wait for.
    await use(async page => page.locator('#jupyterlab-splash').waitFor({ state: 'detached' }));
  },
  front: async ({ page, baseURL, tmpPath }, use, info) => {
    const { name, metadata } = info.project;
    const complaints: string[] = [];
    page.on('pageerror', error => complaints.push(String(error)));
    page.on('console', message => message.type() === 'error' && complaints.push(message.text()));
    await use(new Front(page, baseURL!, tmpPath, name, metadata.virtual === true, complaints));
  }
});

/** The user's settings of greennb, for `test.use`. */
export function withSettings(settings: Record<string, unknown>): { mockSettings: Record<string, unknown> } {
  return { mockSettings: { ...galata.DEFAULT_SETTINGS, 'greennb:plugin': settings } };
}

export { expect };
