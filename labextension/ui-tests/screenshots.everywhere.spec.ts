/** Pictures for the documentation, written only where GREENNB_SCREENSHOTS=1 asks for them (playwright.config.ts); look at each. */
import { mkdirSync } from 'fs';
import path from 'path';

import { expect, test } from './front';
import type { Front } from './front';
import { PLAIN } from './said';

const FOLDER = path.join(__dirname, '..', '..', 'docs', 'images', 'panel');

test.beforeAll(() => mkdirSync(FOLDER, { recursive: true }));
test.setTimeout(240_000);

const TRAINING = [
  `from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier
import warnings; warnings.simplefilter("ignore")

X, y = load_digits(return_X_y=True)`,
  `model = MLPClassifier((256, 128), max_iter=60, random_state=0)
model.fit(X, y).score(X, y)`,
  `small = MLPClassifier((32,), max_iter=60, random_state=0)
small.fit(X, y).score(X, y)`,
  `sum(model.predict(X[n : n + 1])[0] == y[n] for n in range(len(X)))`
];

async function trained(front: Front): Promise<void> {
  await front.open({ cells: [...TRAINING] }, 'train.ipynb');
  await front.show();
  await front.live();
  await front.panel.locator('.gnb-Did').getByRole('button', { name: 'Dismiss' }).click();
  await front.panel.getByRole('button', { name: '1 min' }).click();
  for (const at of TRAINING.keys()) {
    await front.run(at);
  }
  await expect(front.rows).toHaveCount(TRAINING.length);
  await front.run(1); // once more: the change since the last run
  await front.setBudget('20 kJ');
  await front.page.mouse.move(0, 0);
}

async function picture(front: Front, name: string, whole = false): Promise<void> {
  const target = whole ? front.page : front.panel;
  await target.screenshot({ path: path.join(FOLDER, `${name}.png`), animations: 'disabled' });
}

test('a training notebook', async ({ front }) => {
  test.skip(front.name === 'lab42', 'its environment has no scikit-learn');
  await trained(front);
  if (front.name === 'lab') {
    await front.command('filebrowser:toggle-main');
  }
  await picture(front, `${front.name}-training`, true);
  await picture(front, `${front.name}-light`);
  await front.tab('Sensors');
  await picture(front, `${front.name}-sensors`);
  await front.tab('Cells');
  await front.theme('JupyterLab Dark');
  await picture(front, `${front.name}-dark`);
});

test('advice', async ({ front }) => {
  test.skip(front.name !== 'lab', 'one front says it for all');
  await front.open({ cells: [...PLAIN] }, 'classify.ipynb');
  await front.show();
  await front.live();
  for (const at of PLAIN.keys()) {
    await front.start(at);
    await front.ended(at, 100_000);
  }
  await front.panel.getByRole('tab', { name: /^Advice [1-9]/ }).click();
  await front.panel.getByRole('article').first().getByRole('button', { name: 'When not' }).click();
  await front.panel.getByRole('tablist').evaluate(tabs => tabs.scrollIntoView());
  await front.page.mouse.move(0, 0);
  await picture(front, `${front.name}-advice`);
});

// States whose command names this machine's folders are left out.
test('a state: not a Python kernel', async ({ front }) => {
  test.skip(front.name !== 'lab', 'one front says it for all');
  await front.open({ cells: ['1'], kernel: 'shell' });
  await front.show();
  await expect(front.status).toContainText('runs bash');
  const { x, y, width } = (await front.panel.boundingBox())!;
  const clip = { x, y, width, height: 200 };
  await front.page.screenshot({ path: path.join(FOLDER, 'state-shell.png'), clip });
});
