/** greennb.dashboard() in a page: it moves while a cell runs, stops when nobody looks on, and says where it ends. */
import { mkdirSync } from 'fs';
import path from 'path';

import AxeBuilder from '@axe-core/playwright';
import type { Locator } from '@playwright/test';

import { expect, test } from './front';
import type { Front } from './front';
import { PLAIN } from './said';

const IMAGES = path.join(__dirname, '..', '..', 'docs', 'images');

const SHOW = 'import greennb\n\ndash = greennb.dashboard()\ndash';
const BUSY =
  'import time\n\nend = time.monotonic() + 7\nwhile time.monotonic() < end:\n    sum(range(100_000))';
/** How many dashboards and panels have the sensors read; a cell's own window is no such one. */
const WATCHERS = `from greennb.runtime import runtime
from greennb.meter.live import Live

print("watchers", sum(isinstance(each, Live) for each in runtime().meter.sampler._watchers))`;

const part = (front: Front, name: string): Locator =>
  front.cell(0).getByRole('group', { name, exact: true }).first();
const area = (front: Front): Locator => part(front, 'live power').locator('path.gnb-area').first();

/** What the chart's first area looks like now. */
async function shape(front: Front): Promise<string> {
  return (await area(front).getAttribute('d'))!;
}

async function moves(front: Front): Promise<void> {
  const before = await shape(front);
  await expect.poll(() => shape(front)).not.toBe(before);
}

async function shown(front: Front, cells: string[]): Promise<void> {
  await front.open({ cells: [SHOW, ...cells] });
  await front.run(0);
  await expect(area(front)).toHaveAttribute('d', /^M/);
}

test('the chart moves while a cell runs, and the cell then stands in the table', async ({ front }) => {
  await shown(front, [BUSY]);
  await front.start(1);
  await expect(part(front, 'live power')).toContainText(/running .* for \d+ s/);
  await moves(front);
  await moves(front);
  expect(await front.kernelStatus()).toBe('busy');
  await front.ended(1);
  const row = part(front, 'cells').getByRole('row', { name: /import time/ });
  await expect(row).toContainText(/J/);
  await expect(row).toContainText(front.virtual ? 'integrated' : 'estimated');
  await expect(part(front, 'live power')).not.toContainText('running');
  if (!front.virtual) {
    await expect(row).toContainText('~');
    await expect(part(front, 'live power').locator('pattern rect')).toHaveCount(2);
  }
  expect(front.complaints).toEqual([]);
});

test('nobody looks on: nothing is read; shown again it moves again', async ({ front }) => {
  await shown(front, [WATCHERS, 'dash', 'dash.close()']);
  await front.run(1);
  await expect(front.output(1)).toContainText('watchers 1');
  await front.jump(0);
  await front.command('notebook:clear-cell-output');
  await expect(part(front, 'live power')).toHaveCount(0);
  await front.run(1);
  await expect(front.output(1)).toContainText('watchers 0');
  await front.run(2);
  const again = front.cell(2).locator('path.gnb-area').first();
  const before = await again.getAttribute('d');
  await expect.poll(() => again.getAttribute('d')).not.toBe(before);
  await front.run(3);
  await expect(again).toHaveCount(0);
  await front.run(1);
  await expect(front.output(1)).toContainText('watchers 0');
});

test('after a reload of the page it goes on', async ({ front }) => {
  await shown(front, ['1']);
  await front.save();
  await front.visit();
  await expect(area(front)).toHaveAttribute('d', /^M/);
  await moves(front);
});

test('after a restart it says that nothing comes any more', async ({ front }) => {
  await shown(front, ['1']);
  await expect(front.cell(0).locator('.gnb-stale')).toBeHidden();
  await front.restart();
  await expect(front.cell(0).locator('.gnb-stale')).toBeVisible({ timeout: 40_000 });
  await expect(front.cell(0).locator('.gnb-stale')).toContainText('the kernel was restarted');
});

test('%unload_ext leaves it in words', async ({ front }) => {
  await shown(front, ['%load_ext greennb\n%unload_ext greennb']);
  await front.run(1);
  await expect(part(front, 'live power')).toHaveText('greennb was unloaded from this kernel.');
});

test('a finding is tried from it, stopped, and dismissed', async ({ front }) => {
  test.skip(front.name === 'lab42', 'its environment has no scikit-learn');
  test.setTimeout(240_000);
  await shown(front, PLAIN.slice(0, 2));
  await front.run(1);
  await front.start(2);
  await front.ended(2, 100_000);
  const cell = front.cell(0);
  await expect(part(front, 'finding')).toContainText('LinearSVC for a linear kernel', { timeout: 30_000 });
  await cell.getByRole('button', { name: 'Try it' }).click();
  await expect(part(front, 'trial')).toContainText('Nothing of the notebook is changed', { timeout: 30_000 });
  await expect(part(front, 'trial').locator('ins').first()).toContainText('LinearSVC');
  await cell.getByRole('button', { name: 'Run the trial' }).click();
  await expect(part(front, 'trial')).toContainText(/of 30\.0 s/, { timeout: 30_000 });
  const stop = cell.getByRole('button', { name: 'Stop' });
  await stop.click();
  await expect(part(front, 'trial')).toContainText('The trial was stopped', { timeout: 30_000 });
  await expect(stop).toBeHidden();
  await cell.getByRole('button', { name: 'Close' }).click();
  await expect(part(front, 'trial')).toHaveCount(0);
  await cell.getByRole('button', { name: 'Dismiss' }).click();
  await expect(part(front, 'finding')).toHaveCount(0);
  await cell.getByRole('button', { name: 'Show dismissed' }).click();
  await expect(part(front, 'finding')).toContainText('LinearSVC for a linear kernel');
});

for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
  test(`axe finds nothing serious in ${theme}`, async ({ front }) => {
    test.skip(front.name === 'lab42', 'two fronts say it for all');
    await shown(front, ['1/0']);
    await front.run(1);
    await front.theme(theme);
    await expect(part(front, 'cells')).toContainText('raised an error');
    const { violations } = await new AxeBuilder({ page: front.page }).include('.gnb-dash').analyze();
    const bad = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect(bad.map(({ id, nodes }) => `${id}: ${nodes.map(node => node.html).join(' | ')}`)).toEqual([]);
  });
}

test('a picture for the documentation', async ({ front }) => {
  test.skip(front.name !== 'notebook' || !process.env.GREENNB_SCREENSHOTS, 'only where it is asked for');
  test.setTimeout(240_000);
  mkdirSync(IMAGES, { recursive: true });
  await front.page.setViewportSize({ width: 1180, height: 1500 });
  await shown(front, [...PLAIN.slice(0, 2), 'clf.score(X, y)', BUSY]);
  for (const at of [1, 2, 3]) {
    await front.start(at);
    await front.ended(at, 100_000);
  }
  await expect(part(front, 'finding')).toContainText('LinearSVC', { timeout: 30_000 });
  await front.start(4);
  await expect(part(front, 'live power')).toContainText(/running .* for [456] s/);
  await front.page.mouse.move(0, 0);
  await front.cell(0).screenshot({ path: path.join(IMAGES, 'dashboard.png') });
  await front.ended(4);
  const button = (name: string): Locator => front.cell(0).getByRole('button', { name, exact: true });
  await button('Try it').click();
  await expect(part(front, 'trial')).toContainText('Nothing of the notebook is changed', { timeout: 30_000 });
  const advice = front.cell(0).locator('.widget-vbox .widget-vbox').first();
  await button('Run the trial').click();
  await expect(button('Stop')).toBeVisible({ timeout: 30_000 });
  await expect(button('Stop')).toBeHidden({ timeout: 120_000 });
  await expect(part(front, 'trial')).toContainText('make in the cell by hand');
  await front.page.mouse.move(0, 0);
  await advice.screenshot({ path: path.join(IMAGES, 'dashboard-trial.png') });
});
