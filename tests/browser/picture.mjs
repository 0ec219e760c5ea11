/** Runs the notebook of picture.py as a user would, and takes the picture. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const { chromium } = createRequire(path.join(root, 'labextension/package.json'))('@playwright/test');

/** Drag the sidebar's edge. */
async function widen(page, by_px) {
  const edge = (await page.locator('#jp-right-stack').boundingBox()).x - 2;
  await page.mouse.move(edge, 400);
  await page.mouse.down();
  await page.mouse.move(edge - by_px, 400, { steps: 5 });
  await page.mouse.up();
}

const given = JSON.parse(process.argv[2]);
const browser = await chromium.launch({
  executablePath: given.chromium,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync'
  ]
});
try {
  const page = await (await browser.newContext({ viewport: { width: 1180, height: 860 } })).newPage();
  page.setDefaultTimeout(120_000);
  await page.goto(`${given.address}/lab/tree/digits.ipynb`);
  const panel = page.locator('#greennb-panel');
  await page.waitForFunction(() => window.jupyterapp?.commands.hasCommand('greennb:show-panel'));
  await page.evaluate(async () => {
    const { commands, shell } = window.jupyterapp;
    await window.jupyterapp.restored;
    await commands.execute('greennb:show-panel');
    shell.collapseLeft();
  });
  await widen(page, 90);
  await panel.getByText('now', { exact: true }).first().waitFor();
  await panel.getByRole('button', { name: '1 min', exact: true }).click();
  const dismiss = panel.locator('.gnb-Did').getByRole('button');
  if (await dismiss.count()) {
    await dismiss.click();
  }
  const cells = await page.locator('.jp-CodeCell').count();
  await page.evaluate(async cells => {
    const { commands, shell } = window.jupyterapp;
    for (const cell of [...Array(cells).keys(), 2]) {
      shell.currentWidget.content.activeCellIndex = cell + 1; // the title comes first
      await commands.execute('notebook:run-cell');
      await new Promise(resolve => setTimeout(resolve, 2500)); // a pause, as people make
    }
    shell.currentWidget.content.activeCellIndex = 0;
    shell.currentWidget.content.node.querySelector('.jp-WindowedPanel-outer')?.scrollTo(0, 0);
  }, cells);
  await page.waitForTimeout(1500);
  await page.screenshot({ path: given.file });
} finally {
  await browser.close();
}
