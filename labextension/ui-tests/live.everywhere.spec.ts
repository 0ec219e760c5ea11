/** Live power and the cells' joules while somebody works in a notebook. */
import { expect, MEASURES, test } from './front';

/** tests/rig/configs/constant.toml: one socket with its memory, two boards. */
const RIG_W = 40 + 6 + 250 + 250;

test('data comes while a cell runs', async ({ front }) => {
  await front.open({ cells: ['import time\ntime.sleep(5)'] });
  await front.show();
  await expect(front.status).toHaveText(MEASURES);
  await front.ready();
  await front.start(0);
  await expect(front.panel.locator('.gnb-mod-running')).toContainText('running for', { timeout: 4000 });
  await expect(front.cell(0).locator('.gnb-Badge')).toHaveText('measuring…');
  await expect(front.panel.locator('.gnb-Now-words')).toContainText('now');
  expect(await front.kernelStatus()).toBe('busy');
  if (front.virtual) {
    // A slope over ten refreshes of a counter is off by some percent where the machine is busy.
    expect(Math.abs((await front.wattsNow()) - RIG_W) / RIG_W).toBeLessThan(0.1);
  } else {
    await expect(front.panel.locator('.gnb-Rows')).toContainText('estimated');
    expect(await front.wattsNow()).toBeGreaterThan(0);
  }
  await front.ended(0);
  await expect(front.rows).toHaveCount(1);
  await expect(front.rows.first()).toContainText('import time');
  await expect(front.cell(0).locator('.gnb-Badge')).toContainText('J');
});

test('the joules are those of the sensors', async ({ front }) => {
  test.skip(!front.virtual, 'no virtual sensors here: their joules are not known');
  await front.open({ cells: ['import time; time.sleep(4)'] });
  await front.show();
  await front.live();
  await front.run(0);
  const exported = JSON.parse(await front.download('JSON'));
  const [run] = exported.runs;
  expect(run.duration_s).toBeGreaterThan(4);
  // Two percent: the counters move every 20 ms, one board only tells its mean of a second.
  expect(run.total_j / run.duration_s / RIG_W).toBeGreaterThan(0.98);
  expect(run.total_j / run.duration_s / RIG_W).toBeLessThan(1.02);
  expect(run.partial).toBe(false);
});

test('after a reload the cells are still there', async ({ front }) => {
  await front.open({ cells: ['import time; time.sleep(1)', '2'] });
  await front.show();
  await front.live();
  await front.run(0);
  await front.run(1);
  await expect(front.rows).toHaveCount(2);
  const before = await front.rows.first().innerText();
  await front.save();
  await front.visit();
  await front.show();
  await front.live();
  await expect(front.rows).toHaveCount(2);
  expect(await front.rows.first().innerText()).toBe(before);
  await expect(front.panel.locator('.gnb-Did')).toBeHidden();
});

test('a restart keeps what was measured, and a second run says how it differs', async ({ front }) => {
  await front.open({ cells: ['import time; time.sleep(1)'] });
  await front.show();
  await front.live();
  await front.run(0);
  await expect(front.rows).toHaveCount(1);
  await front.restart();
  await front.live();
  await expect(front.rows).toHaveCount(1);
  await front.run(0);
  await expect(front.rows.first()).toContainText(/%|≈/);
});

test('two tabs on one kernel show the same cells', async ({ front }) => {
  await front.open({ cells: ['import time; time.sleep(2)'] });
  await front.show();
  await front.live();
  const other = await front.another();
  await other.visit();
  await other.show();
  await other.live();
  await front.run(0);
  await expect(front.rows).toHaveCount(1);
  await expect(other.rows).toHaveCount(1);
  expect(await other.rows.first().innerText()).toBe(await front.rows.first().innerText());
  await expect(other.panel.locator('.gnb-Now-words')).toContainText('now');
  await expect(front.panel.locator('.gnb-Now-words')).toContainText('now');
  await other.page.close();
});

test('hidden: not one message comes on the stream', async ({ front }) => {
  await front.open({ cells: ['1'] });
  await front.show();
  await front.live();
  await expect(front.panel.locator('.gnb-Now-words')).toContainText('now');
  await front.hide();
  await front.streamIsQuiet();
  await front.show();
  await expect(front.panel.locator('.gnb-Now-words')).toContainText('now');
});
