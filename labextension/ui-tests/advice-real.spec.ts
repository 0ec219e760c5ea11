/** Advice on a plain notebook: nobody loads greennb, nobody sets an option, and the findings are the advisor's own. */
import type { Locator } from '@playwright/test';

import { expect, test } from './front';
import { PLAIN } from './said';

test.setTimeout(300_000);

test('a plain notebook is told what its cells could do cheaper; what is dismissed stays so', async ({
  front
}) => {
  const card = (name: string): Locator => front.panel.getByRole('article', { name });
  await front.open({ cells: [...PLAIN] });
  await front.show();
  await front.live();
  for (const at of PLAIN.keys()) {
    await front.start(at);
    await front.ended(at, 100_000); // seconds, on a machine that does nothing else
  }
  await front.panel.getByRole('tab', { name: /^Advice [1-9]/ }).click();

  const linear = card('LinearSVC for a linear kernel');
  await expect(linear).toContainText('[2]');
  await expect(linear).toContainText(/At stake .*J · .* s ran through this/);
  await expect(linear).not.toContainText(/sav/i);
  await expect(linear.locator('.gnb-Evidence')).toContainText('3,000');
  await linear.getByRole('button', { name: 'When not' }).click();
  await expect(linear.getByRole('list', { name: 'Not where' })).toContainText('predict_proba');

  const double = card('The model computes in float64');
  await expect(double).toContainText('net');
  await expect(double.locator('.gnb-Evidence dd').first()).toContainText(/\d/);

  await linear.getByRole('button', { name: 'Insert' }).click();
  await expect(front.cell(2)).toContainText('from sklearn.svm import LinearSVC');
  expect(await front.count(2)).toBeNull();

  await linear.getByRole('button', { name: 'Dismiss' }).click();
  await expect(linear).toHaveCount(0);
  await front.save();
  await front.visit();
  await front.show();
  await front.live();
  await front.panel.getByRole('tab', { name: /^Advice/ }).click();
  await expect(double).toBeVisible(); // the kernel goes on, and tells the new page
  await expect(linear).toHaveCount(0);
  await expect(front.panel.getByRole('button', { name: '1 dismissed · Show' })).toBeVisible();
});

test('a kernel whose advice is off says so', async ({ front }) => {
  await front.open({ cells: ['%energy_config advice=off'] });
  await front.show();
  await front.live();
  await front.run(0);
  await front.tab('Advice 0');
  await expect(front.panel).toContainText('The advisor is off in this kernel');
});
