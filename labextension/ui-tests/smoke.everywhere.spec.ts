/** The extension loads in every front, and the page complains of nothing. */
import { expect, test } from './front';

test('the leaf is there and the panel opens', async ({ front }) => {
  await front.open({ cells: ['1 + 1'] });
  if (front.name !== 'notebook') {
    await expect(front.leaf).toBeVisible();
  }
  await front.show();
  await front.run(0);
  await expect(front.cell(0).locator('.jp-OutputArea-output')).toContainText('2');
  expect(front.complaints).toEqual([]);
});
