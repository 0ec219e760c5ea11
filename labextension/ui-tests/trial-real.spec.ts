/** A trial from the finding to the saved joules, on a plain notebook in a real kernel: nothing here is scripted. */
import { mkdirSync } from 'fs';
import path from 'path';

import { expect, test } from './front';
import { PLAIN } from './said';

const FOLDER = path.join(__dirname, '..', '..', 'docs', 'images', 'panel');
/** The cells that make a table and fit a linear SVC on it with the solver for all kernels: LinearSVC takes far less. */
const CELLS = PLAIN.slice(0, 2);
const FITTED = 1;

test.setTimeout(300_000);
// On a machine that others keep busy a trial says that it can't tell, and is right: then it is run once more.
test.describe.configure({ retries: 1 });

test('find, try, apply, undo, apply, run again', async ({ front }) => {
  const picture = async (name: string): Promise<void> => {
    if (process.env.GREENNB_SCREENSHOTS) {
      mkdirSync(FOLDER, { recursive: true });
      const to = path.join(FOLDER, `${name}.png`);
      await front.panel.screenshot({ path: to, animations: 'disabled' });
    }
  };
  await front.open({ cells: [...CELLS] });
  await front.show();
  await front.live();
  for (const at of CELLS.keys()) {
    await front.start(at);
    await front.ended(at, 100_000);
  }
  const source = await front.cell(FITTED).locator('.jp-InputArea-editor').innerText();
  await front.panel.getByRole('tab', { name: /^Advice [1-9]/ }).click();
  const card = front.panel.getByRole('article', { name: 'LinearSVC for a linear kernel' });
  await expect(card).not.toContainText(/sav/i);

  await card.getByRole('button', { name: 'Try it' }).click();
  const plan = card.getByRole('region', { name: 'What the trial would run' });
  await expect(plan).toContainText(/on copies of what it uses, as it is and with LinearSVC, by turns/);
  await expect(plan).toContainText(/after 30\.0 s at the latest/);
  await expect(plan.locator('.gnb-Diff .gnb-mod-in').first()).toContainText('LinearSVC');
  expect(await front.count(FITTED)).toBe(2); // nothing has been run
  await picture('lab-trial-plan');

  await plan.getByRole('button', { name: 'Run the trial' }).click();
  await expect(card.getByRole('progressbar')).toBeVisible();
  await expect(card.getByRole('button', { name: 'Stop' })).toBeVisible();
  await expect(card).toContainText(/Warming up|Measuring by turns/, { timeout: 30_000 });
  await picture('lab-trial-running');

  await expect(card.locator('.gnb-Trial')).toContainText(/Saves \d+(\.\d+)? % here/, { timeout: 120_000 });
  await expect(card.locator('.gnb-Ways')).toContainText('LinearSVC');
  await expect(card.locator('.gnb-Trial')).toContainText(/The trial took/);
  await picture('lab-trial-verdict');

  await card.getByRole('button', { name: 'Apply' }).click();
  await card.getByRole('button', { name: 'Put it into the cell' }).click();
  await expect(front.cell(FITTED)).toContainText('from sklearn.svm import LinearSVC');
  expect(await front.count(FITTED)).toBe(2); // nor is it run now
  await card.getByRole('button', { name: 'Undo' }).click();
  await expect(front.cell(FITTED)).not.toContainText('LinearSVC');
  expect(await front.cell(FITTED).locator('.jp-InputArea-editor').innerText()).toBe(source);

  await card.getByRole('button', { name: 'Apply' }).click();
  await card.getByRole('button', { name: 'Put it into the cell' }).click();
  await expect(card).toContainText('Applied. Run the cell');
  await front.start(FITTED);
  await front.ended(FITTED, 100_000);
  await expect(front.panel.getByText(/This run: .* the one before: .*, of two single runs/)).toBeVisible();
  await picture('lab-trial-applied');
});
