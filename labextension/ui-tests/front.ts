/** A front (JupyterLab, Notebook 7, JupyterLab 4.2) with greennb in it: Galata's test, and the panel. */
import { readFile } from 'fs/promises';

import { expect, test as base } from '@jupyterlab/galata';
import type { LabShell } from '@jupyterlab/application';
import type { Locator, Page } from '@playwright/test';

import { NotebookPage } from './page';

/** What the panel says while all is well. */
export const MEASURES = 'greennb measures this kernel.';

/** Long enough for several samples at the default pace of two a second. */
const QUIET_MS = 3000;

/** Notebook 7.6 says this of its own shortcuts each time, also without greennb. */
const NOTEBOOKS_OWN = /reading 'schema'\)\s+at http\S+\/static\/notebook\/notebook_core/;

export class Front extends NotebookPage {
  /** What the page has complained of in its console. */
  readonly complaints: string[] = [];

  /** The same notebook in another tab of the same browser. */
  async another(): Promise<Front> {
    return new Front(await this.page.context().newPage(), this.place).follow();
  }

  /** Note complaints and messages of samples from now on. */
  follow(): this {
    this.page.on('pageerror', error => {
      const said = error.stack ?? String(error);
      if (!NOTEBOOKS_OWN.test(said)) {
        this.complaints.push(said);
      }
    });
    this.page.on('console', message => {
      if (message.type() === 'error') {
        this.complaints.push(message.text());
      }
    });
    this.page.on('websocket', socket =>
      socket.on('framereceived', ({ payload }) => {
        this._samples += payload.includes('"samples"') ? 1 : 0;
      })
    );
    return this;
  }

  get panel(): Locator {
    return this.page.locator('#greennb-panel');
  }

  /** The leaf in the sidebar, which is a tab in JupyterLab only. */
  get leaf(): Locator {
    return this.page.locator('.jp-SideBar .lm-TabBar-tab[data-id="greennb-panel"]');
  }

  /** The sentence on the link to the kernel. */
  get status(): Locator {
    return this.panel.getByRole('status').first();
  }

  /** Rows of measured cells. */
  get rows(): Locator {
    return this.panel.locator('.gnb-Cells tbody tr[data-status]');
  }

  badge(at: number): Locator {
    return this.cell(at).locator('.gnb-Badge');
  }

  /** The panel, on screen. */
  async show(): Promise<void> {
    await this.command('greennb:show-panel');
    await expect(this.panel).toBeVisible();
  }

  /** Fold the sidebar away. */
  async hide(): Promise<void> {
    await this.page.evaluate(() => (window.jupyterapp.shell as LabShell).collapseRight());
    await expect(this.panel).toBeHidden();
  }

  /** Wait until the kernel is linked and idle. */
  async live(): Promise<void> {
    await expect(this.status).toHaveText(MEASURES, { timeout: 40_000 });
    await this.ready();
  }

  /** Watts now, as the panel shows them. */
  async wattsNow(): Promise<number> {
    await expect(this.panel.locator('.gnb-Now-amount')).toHaveText(/\d/);
    const text = await this.panel.locator('.gnb-Now').innerText();
    const [, amount, unit] = /([\d.,]+)\s*(k?W)/.exec(text)!;
    return Number(amount.replace(',', '')) * (unit === 'kW' ? 1000 : 1);
  }

  /** Show one of the panel's tabs. */
  async tab(name: string): Promise<void> {
    const tab = this.panel.getByRole('tab', { name });
    await tab.click();
    await expect(tab).toHaveAttribute('aria-selected', 'true');
  }

  /** Type a budget into the panel's field. */
  async setBudget(text: string): Promise<void> {
    await this.panel.getByRole('button', { name: /Set a budget|Change the budget/ }).click();
    await this.panel.getByRole('textbox', { name: 'Budget' }).fill(text);
    await this.panel.getByRole('button', { name: 'Set', exact: true }).click();
  }

  /** Press an export button; gives the file's text. */
  async download(button: 'JSON' | 'CSV'): Promise<string> {
    const coming = this.page.waitForEvent('download');
    await this.panel.getByRole('button', { name: button, exact: true }).click();
    const file = await coming;
    expect(file.suggestedFilename()).toBe(`notebook.energy.${button.toLowerCase()}`);
    return readFile(await file.path(), 'utf-8');
  }

  /** Note each sentence of the status from now on, also those that pass in a blink. */
  async listen(): Promise<void> {
    await this.panel.evaluate(panel => {
      const heard: string[] = [];
      const note = (): void => {
        const said = panel.querySelector('[role=status]')?.textContent ?? '';
        if (said !== heard[heard.length - 1]) {
          heard.push(said);
        }
      };
      note();
      new MutationObserver(note).observe(panel, { childList: true, subtree: true, characterData: true });
      Object.assign(window, { heard });
    });
  }

  /** The sentences since {@link listen}. */
  async heard(): Promise<string[]> {
    return this.page.evaluate(() => (window as unknown as { heard: string[] }).heard);
  }

  /** Look that no sample comes; what was under way when it was hidden may still arrive. */
  async streamIsQuiet(): Promise<void> {
    await this.page.waitForTimeout(QUIET_MS / 3);
    const before = this._samples;
    expect(before).toBeGreaterThan(0);
    await this.page.waitForTimeout(QUIET_MS);
    expect(this._samples).toBe(before);
  }

  private _samples = 0;
}

/** Nothing from outside is asked for. Galata's own settings would be too new for JupyterLab 4.2. */
const SETTINGS = {
  '@jupyterlab/apputils-extension:notification': { checkForUpdates: false, fetchNews: 'false' }
};

/** Galata's test with a front; the page is empty until a notebook is opened. */
export const test = base.extend<{ front: Front }>({
  autoGoto: false,
  mockSettings: SETTINGS,
  // Galata's stand-in for the kernels' API knows no restart; what a test starts ends with its session.
  kernels: async ({}, use) => use(null as never),
  waitForApplication: async ({}, use) => {
    // A notebook's address opens no launcher: there is only the splash to wait for.
    await use(async page => page.locator('#jupyterlab-splash').waitFor({ state: 'detached' }));
  },
  front: async ({ page, baseURL, tmpPath }, use, info) => {
    const { name, metadata } = info.project;
    const place = { address: baseURL!, folder: tmpPath, name, virtual: metadata.virtual === true };
    // Galata's page is Playwright's with more to it.
    await use(new Front(page as unknown as Page, place).follow());
  }
});

/** The user's settings of these plugins, for `test.use`. */
export function withSettings(settings: Record<string, Record<string, unknown>>): {
  mockSettings: Record<string, unknown>;
} {
  return { mockSettings: { ...SETTINGS, ...settings } };
}

export { expect };
