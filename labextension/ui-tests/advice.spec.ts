/** What idles away, and what the advisor found: shown with evidence, inserted as code, dismissed. */
import { expect, test } from './front';
import { FINDING, WASTE } from './said';

test('a finding shows its evidence and its trial, inserts its code, and goes when dismissed', async ({
  front
}) => {
  await front.open({ cells: ['1', FINDING] });
  await front.show();
  await front.live();
  await front.run(0);
  await front.run(1);
  await front.tab('Advice 1');
  const card = front.panel.locator('.gnb-Card');
  await expect(card).toContainText('evaluates with gradients on');
  await expect(card).toContainText('Saves 38');
  await expect(card.locator('.gnb-Evidence')).toContainText('2800 J');
  await card.getByRole('button', { name: 'Insert' }).click();
  await expect(front.cell(2)).toContainText('with torch.inference_mode():');
  await expect(card).toContainText('GNB204');
  await card.getByRole('button', { name: 'Dismiss' }).click();
  await expect(card).toHaveCount(0);
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
