/** The table, its way to the cells, budget, export, and text that means harm. */
import { expect, test } from './front';

test('a click in the table goes to the cell', async ({ front }) => {
  await front.open({
    cells: Array.from({ length: 40 }, (_, place) => `# ${place}\n${'\n'.repeat(8)}${place}`)
  });
  await front.show();
  await front.live();
  await front.run(0);
  await front.run(39);
  await expect(front.rows).toHaveCount(2);
  await expect(front.cell(0)).not.toBeInViewport();
  await front.rows.first().getByRole('button').click();
  await expect(front.cell(0)).toBeInViewport();
  await expect(front.cell(0)).toHaveClass(/jp-mod-active/);
  await front.rows.last().getByRole('button').click();
  await expect(front.cell(39)).toBeInViewport();
  await expect(front.cell(39)).toHaveClass(/jp-mod-active/);
});

test('a budget is set, kept in the notebook and passed', async ({ front }) => {
  await front.open({ cells: ['import time; time.sleep(1)'] });
  await front.show();
  await front.live();
  await front.setBudget('500 kJ');
  await front.run(0);
  const bar = front.panel.getByRole('meter', { name: 'Budget' });
  await expect(bar).toHaveAttribute('aria-valuetext', /of its 500 kJ budget$/);
  await front.setBudget('0.5 J');
  await expect(bar).toHaveAttribute('aria-valuetext', /^Over budget/);
  await front.save();
  await front.visit();
  await front.show();
  await expect(bar).toHaveAttribute('aria-valuetext', /^Over budget: .* of 0?.?50*0? ?m?J$/);
});

test('what was measured comes as JSON and as CSV', async ({ front }) => {
  await front.open({ cells: ['1', '1/0'] });
  await front.show();
  await front.live();
  await front.run(0);
  await front.run(1);
  await expect(front.rows).toHaveCount(2);
  const whole = JSON.parse(await front.download('JSON'));
  expect(whole.runs.map((run: { status: string }) => run.status)).toEqual(['ok', 'error']);
  expect(whole.cells.map((cell: { cell_id: string }) => cell.cell_id)).toEqual(['cell-0', 'cell-1']);
  const lines = (await front.download('CSV')).trim().split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toContain('total_j');
});

test('text that means harm is text', async ({ front }) => {
  const harm = '<img src=x onerror="window.harmed=1">';
  await front.open({
    cells: [
      `"${harm.replace(/"/g, "'")}" # 🌱 \u202Eevil\u202C`,
      `%%energy -n "<b>bold</b><script>window.harmed=1</script>"\n1`
    ]
  });
  await front.show();
  await front.live();
  await front.run(0);
  await front.run(1);
  await expect(front.rows).toHaveCount(2);
  await expect(front.rows.first()).toContainText('<img src=x');
  for (const tab of ['Cells', 'Advice', 'Sensors']) {
    await front.tab(tab);
    await expect(front.panel.locator('img, script, b b')).toHaveCount(0);
  }
  expect(await front.page.evaluate(() => 'harmed' in window)).toBe(false);
});
