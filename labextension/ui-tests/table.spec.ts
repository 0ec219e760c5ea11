/** The table's order, and what is refused as a budget. */
import { expect, test } from './front';

test('the table sorts', async ({ front }) => {
  await front.open({ cells: ['import time; time.sleep(0.2)', 'time.sleep(1.5)'] });
  await front.show();
  await front.live();
  await front.run(0);
  await front.run(1);
  await expect(front.rows.first()).toContainText('[1]');
  const energy = front.panel.getByRole('columnheader', { name: 'Energy' });
  await energy.getByRole('button').click();
  await expect(energy).toHaveAttribute('aria-sort', 'descending');
  await expect(front.rows.first()).toContainText('[2]');
});

test('no amount of energy is taken as one', async ({ front }) => {
  await front.open({ cells: ['1'] });
  await front.show();
  await front.live();
  await front.setBudget('soon');
  await expect(front.panel.getByRole('alert')).toContainText('Write an amount');
});
