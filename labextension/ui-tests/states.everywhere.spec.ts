/** Where the link to a kernel stands: one plain sentence, and the next step, in every front. */
import { expect, MEASURES, test, withSettings } from './front';
import { Gate } from './gate';

test('no notebook', async ({ front }) => {
  test.skip(front.name === 'notebook', 'a page of Notebook is always a notebook');
  await front.page.goto(`${front.address}/lab`);
  await front.show();
  await expect(front.status).toHaveText('Open a notebook, and what its cells cost stands here.');
});

test('no kernel, then one', async ({ front }) => {
  await front.open({ cells: ['1'] });
  await front.show();
  await expect(front.status).toHaveText(MEASURES);
  await front.shutdown();
  await expect(front.status).toContainText('This notebook has no kernel');
  await front.panel.getByRole('button', { name: 'Choose a kernel' }).click();
  await front.page.locator('.jp-Dialog .jp-mod-accept').click();
  await expect(front.status).toHaveText(MEASURES);
});

test('a kernel that is not Python’s, and what it is', async ({ front }) => {
  await front.open({ cells: ['echo hello'], kernel: 'shell' });
  await front.show();
  await expect(front.status).toHaveText('greennb measures Python kernels; this notebook runs bash.');
  await front.run(0);
  await expect(front.output(0)).toHaveText('hello\n');
});

test('greennb is not installed in this kernel: the command that installs it there', async ({ front }) => {
  await front.open({ cells: ['import sys; print(sys.executable)'], kernel: 'without' });
  await front.show();
  await expect(front.status).toContainText('greennb is not installed in this kernel.');
  await front.run(0);
  const python = (await front.output(0).innerText()).trim();
  await expect(front.panel.locator('.gnb-Header')).toContainText(`${python} -m pip install greennb`);
  await front.panel.getByRole('button', { name: 'Look again' }).click();
  await expect(front.status).toContainText('greennb is not installed in this kernel.');
});

test('greennb in this kernel is too old', async ({ front }) => {
  await front.open({ cells: ['1'], kernel: 'old' });
  await front.show();
  await expect(front.status).toContainText('greennb in this kernel is older than this page.');
  await expect(front.panel.locator('.gnb-Header')).toContainText('-m pip install --upgrade greennb');
});

test('live: by itself, and it says so', async ({ front }) => {
  await front.open({ cells: ['1'] });
  await front.show();
  await expect(front.status).toHaveText(MEASURES);
  const notice = front.panel.locator('.gnb-Did');
  await expect(notice).toContainText('greennb loaded itself into this kernel');
  await notice.getByRole('button', { name: 'Dismiss' }).click();
  await expect(notice).toBeHidden();
  expect(front.complaints).toEqual([]);
});

test('restarting, and live again', async ({ front }) => {
  await front.open({ cells: ['sum(range(1000))'] });
  await front.show();
  await expect(front.status).toHaveText(MEASURES);
  await front.run(0);
  await expect(front.rows).toHaveCount(1);
  await front.listen();
  await front.restart();
  await expect.poll(() => front.heard()).toContain('The kernel restarts. What was measured stays here.');
  await expect(front.status).toHaveText(MEASURES);
  await expect(front.rows).toHaveCount(1);
});

test('a kernel killed with -9 is started again and measured again', async ({ front }) => {
  await front.open({ cells: ['import os, signal; os.kill(os.getpid(), signal.SIGKILL)', '1'] });
  await front.show();
  await expect(front.status).toHaveText(MEASURES);
  await front.listen();
  await front.start(0);
  await expect.poll(() => front.heard()).toContain('The kernel restarts. What was measured stays here.');
  await front.closeDialogs();
  await expect(front.status).toHaveText(MEASURES);
  await front.run(1);
  await expect(front.rows.last()).toContainText('[1]');
});

test('dead', async ({ front }) => {
  await front.open({ cells: ['import os; os._exit(9)'], kernel: 'once' });
  await front.show();
  await expect(front.status).toHaveText(MEASURES);
  await front.start(0);
  await expect(front.status).toHaveText('The kernel has died. What was measured stays here.', {
    timeout: 40_000
  });
  await front.closeDialogs();
  await expect(front.panel.getByRole('button', { name: 'Restart the kernel' })).toBeVisible();
});

test('the server is gone and comes back', async ({ front }) => {
  const gate = await Gate.before(front.address);
  try {
    await front.write({ cells: ['1', '2'] });
    await front.visit('notebook.ipynb', gate.address);
    await front.show();
    await expect(front.status).toHaveText(MEASURES);
    await front.run(0);
    await expect(front.rows).toHaveCount(1);
    await gate.shut();
    await expect(front.status).toContainText('The Jupyter server cannot be reached.', { timeout: 40_000 });
    await gate.open();
    await front.closeDialogs();
    await expect(front.status).toHaveText(MEASURES, { timeout: 60_000 });
    await front.run(1);
    await expect(front.rows).toHaveCount(2);
  } finally {
    await gate.shut();
  }
});

test.describe('autoStart off', () => {
  test.use(withSettings({ 'greennb:plugin': { autoStart: false } }));

  test('not loaded until asked, and busy while a cell runs', async ({ front }) => {
    await front.open({ cells: ['import time; print("runs", flush=True); time.sleep(6)', '1'] });
    await front.show();
    await expect(front.status).toHaveText('greennb is not loaded in this kernel, so nothing is measured.');
    await front.ready();
    await front.start(0);
    await expect(front.output(0)).toHaveText('runs\n');
    await front.listen();
    await front.panel.getByRole('button', { name: 'Load greennb' }).click();
    await expect
      .poll(() => front.heard())
      .toContain('The kernel is busy with a cell, and answers once that has ended. Nothing is lost.');
    await front.ended(0);
    await expect(front.status).toHaveText(MEASURES);
    await expect(front.panel.locator('.gnb-Did')).toBeHidden();
    await front.run(1);
    await expect(front.rows).toHaveCount(1);
  });
});
