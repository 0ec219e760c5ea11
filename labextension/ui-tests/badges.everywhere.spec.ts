/** Badges at the cells: right under windowing, moving, deleting, re-running and clearing. */
import { expect, test, withSettings } from './front';

test.use(withSettings({ '@jupyterlab/notebook-extension:tracker': { windowingMode: 'full' } }));

test('in a notebook of 120 cells each badge is at its cell', async ({ front }) => {
  await front.open({ cells: Array.from({ length: 120 }, (_, place) => `# ${place}\n\n\n\n${place}`) });
  await front.show();
  await front.live();
  for (const place of [0, 60, 119]) {
    await front.run(place);
    await expect(front.badge(place)).toContainText('J');
  }
  await front.jump(0);
  await expect(front.badge(0)).toContainText('J');
  await expect(front.badge(1)).toHaveCount(0);
  // What is not in sight is not in the page, or has no badge more than the cells that were run.
  expect(await front.page.locator('.gnb-Badge').count()).toBeLessThanOrEqual(3);
  await front.jump(60);
  await expect(front.badge(60)).toContainText('J');
  await expect(front.badge(61)).toHaveCount(0);
});

test('moving, deleting and clearing', async ({ front }) => {
  await front.open({ cells: ['# first\n1', '# second\n2', '# third\n3'] });
  await front.show();
  await front.live();
  await front.run(0);
  await expect(front.badge(0)).toContainText('J');
  await front.jump(0);
  await front.command('notebook:move-cell-down');
  await expect(front.cell(1)).toContainText('# first');
  await expect(front.badge(1)).toContainText('J');
  await expect(front.badge(0)).toHaveCount(0);
  await front.command('notebook:clear-all-cell-outputs');
  await expect(front.badge(1)).toContainText('J');
  await front.jump(1);
  await front.command('notebook:delete-cell');
  await expect(front.page.locator('.gnb-Badge')).toHaveCount(0);
  await expect(front.rows).toHaveCount(0);
});

test('the setting takes them away and brings them back', async ({ front }) => {
  await front.open({ cells: ['1'] });
  await front.show();
  await front.live();
  await front.run(0);
  await expect(front.badge(0)).toContainText('J');
  await front.command('greennb:toggle-badges');
  await expect(front.page.locator('.gnb-Badge')).toHaveCount(0);
  await front.command('greennb:toggle-badges');
  await expect(front.badge(0)).toContainText('J');
});
