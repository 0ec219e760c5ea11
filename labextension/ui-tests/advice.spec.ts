/** What idles away, and what the advisor found: shown with evidence, inserted as code, dismissed and brought back. */
import { expect, test } from './front';
import type { Front } from './front';
import { FINDING, WASTE } from './said';

const MORE = 'import dataclasses; again(dataclasses.replace(other, subject="third"))';

/** The page's own greennb as it will be once it is all there: findings come from the test alone. */
async function planted(front: Front): Promise<void> {
  await front.open({ cells: ['%energy_config advice=off', FINDING, MORE] });
  await front.show();
  await front.live();
  await front.run(0);
  await front.run(1);
  await front.tab('Advice 2');
}

test('a finding shows what is at stake, its evidence and its trial, and inserts its code', async ({
  front
}) => {
  await planted(front);
  const card = front.panel.getByRole('article', { name: 'evaluates with gradients on' });
  await expect(card).toContainText('[1]');
  await expect(card).toContainText('Saves 38');
  await expect(card).toContainText('At stake 2.80 kJ · 12 s ran through this');
  await expect(card.locator('.gnb-Evidence')).toContainText('312');
  const link = card.getByRole('link', { name: 'docs.pytorch.org' });
  await expect(link).toHaveAttribute('rel', /noopener/);
  await card.getByRole('button', { name: 'At stake' }).click();
  await expect(card).toContainText('Only a measured trial shows a saving.');
  await card.getByRole('button', { name: 'When not' }).click();
  await expect(card.getByRole('list', { name: 'Not where' })).toContainText(
    'gradients with respect to the input'
  );
  await card.getByRole('button', { name: 'Insert' }).click();
  await expect(front.cell(1)).toContainText('with torch.inference_mode():'); // below the cell that it is about
  expect(await front.count(1)).toBeNull();
});

test('cards stay as they are when findings come again, and what is new is said', async ({ front }) => {
  await planted(front);
  const second = front.panel.getByRole('article', { name: 'workers load no batches loader' });
  await expect(second).toContainText('[2] and 2 more cells');
  await expect(second.locator('.gnb-Evidence')).toHaveCount(0); // a note that is not the first is folded
  await second.getByRole('button', { name: 'workers load no batches' }).click();
  await second.getByRole('button', { name: 'Show code' }).click();
  await front.run(2);
  await expect(front.panel.getByRole('tab', { name: 'Advice 3' })).toBeVisible();
  await expect(front.panel.getByRole('status').last()).toHaveText(
    'New advice: workers load no batches, third.'
  );
  await expect(second.locator('pre')).toContainText('num_workers=4');
  const cards = front.panel.getByRole('article');
  await expect(cards.nth(1)).toContainText('third');
});

test('what is dismissed is kept in the notebook, through a restart and a reload, until it is brought back', async ({
  front
}) => {
  await planted(front);
  const cards = front.panel.getByRole('article');
  await cards.first().getByRole('button', { name: 'Dismiss' }).press('Enter');
  await expect(cards).toHaveCount(1);
  const second = cards.first().getByRole('button', { name: 'workers load no batches' });
  await expect(second).toBeFocused(); // the next card has the focus
  await second.press('Enter');
  await cards.first().getByRole('button', { name: 'Never in this notebook' }).click();
  await expect(cards).toHaveCount(0);
  await expect(front.panel.getByRole('button', { name: '2 dismissed · Show' })).toBeVisible();
  await front.save();
  await front.restart();
  await front.visit();
  await front.show();
  await front.live();
  await front.run(0);
  await front.run(1);
  await front.panel.getByRole('tab', { name: 'Advice' }).click();
  await expect(front.panel.getByRole('button', { name: '2 dismissed · Show' })).toBeVisible();
  await expect(cards).toHaveCount(0);
  await front.panel.getByRole('button', { name: '2 dismissed · Show' }).click();
  await front.panel.getByRole('button', { name: 'Allow again' }).click();
  await front.panel.getByRole('button', { name: 'Bring back' }).click();
  await expect(cards).toHaveCount(2);
});

test('a read-only notebook forgets with the page, says so, and is left as it is', async ({ front }) => {
  await front.page.route(/\/api\/contents\/.*notebook\.ipynb/, async route => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), writable: false } });
  });
  await planted(front);
  const cards = front.panel.getByRole('article');
  await cards.first().getByRole('button', { name: 'Dismiss' }).click();
  await expect(cards).toHaveCount(1);
  await front.panel.getByRole('button', { name: '1 dismissed · Show' }).click();
  await expect(front.panel).toContainText('This notebook is read-only');
  expect(await front.metadata()).toBeUndefined();
  await front.panel.getByRole('button', { name: 'Bring back' }).click();
  await expect(cards).toHaveCount(2);
  expect(front.complaints.filter(said => /greennb/i.test(said))).toEqual([]);
});

test('a thread that keeps a CPU busy while nothing runs is shown', async ({ front }) => {
  await front.open({ cells: ['1', WASTE] });
  await front.show();
  await front.live();
  await front.run(1);
  const advice = front.panel.getByRole('tab', { name: 'Advice 1' });
  await expect(advice).toBeVisible({ timeout: 30_000 });
  await advice.click();
  await expect(front.panel.locator('.gnb-Card')).toContainText(/keep .*busy though no cell runs/);
  await front.run(0);
  await expect(front.panel.locator('.gnb-Card')).toHaveCount(0);
});
