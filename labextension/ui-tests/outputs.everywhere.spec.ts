/** What stands outside the panel: the output's renderer, the status item. */
import { expect, test } from './front';

test('a measurement in an output is drawn from its JSON, also without a kernel', async ({ front }) => {
  await front.open({ cells: ['%load_ext greennb', '%%energy -n "a label"\nsum(range(10**6))'] });
  await front.run(0);
  await front.run(1);
  const card = front.cell(1).locator('.gnb-Card, .gnb-Energy, [class*="gnb-"]').first();
  await expect(front.output(1).last()).toContainText('a label');
  await expect(card).toBeVisible();
  await front.save();
  await front.shutdown();
  await front.visit();
  await front.jump(1);
  await expect(front.output(1).last()).toContainText('a label');
});

test('the status bar says the watts and the session’s joules', async ({ front }) => {
  test.skip(front.name === 'notebook', 'Notebook has no status bar');
  await front.open({ cells: ['import time; time.sleep(1)'] });
  await front.show();
  await front.live();
  await front.run(0);
  const item = front.page.locator('#jp-main-statusbar').getByText(/W.*·.*J/);
  await expect(item).toBeVisible();
  await front.hide();
  await item.click();
  await expect(front.panel).toBeVisible();
});

test('each notebook has its own cells', async ({ front }) => {
  test.skip(front.name === 'notebook', 'a page of Notebook is one notebook');
  await front.write({ cells: ['# other'] }, 'other.ipynb');
  await front.open({ cells: ['# one', '# two'] });
  await front.show();
  await front.live();
  await front.run(0);
  await expect(front.rows).toHaveCount(1);
  await front.command('docmanager:open', { path: `${front.place.folder}/other.ipynb` });
  await expect(front.panel.locator('.gnb-Header')).toContainText('other.ipynb');
  await front.live();
  await expect(front.rows).toHaveCount(0);
  await front.command('docmanager:open', { path: `${front.place.folder}/notebook.ipynb` });
  await expect(front.rows).toHaveCount(1);
});
