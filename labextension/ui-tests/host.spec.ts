/** The server's own machine: before any notebook, beside a kernel of another language, and gone once a kernel tells. */
import { expect, MEASURES, test } from './front';

/** What tests/rig/configs/constant.toml draws: a package, memory, two boards. */
const RIG_W = 40 + 6 + 2 * 250;

test('without a notebook the panel shows what the server’s machine draws', async ({ front }) => {
  await front.page.goto(`${front.address}/lab`);
  await front.show();
  await expect(front.status).toHaveText('Open a notebook, and what its cells cost stands here.');
  const host = front.panel.getByRole('region', { name: 'The server’s machine' });
  await expect(host).toContainText('All that the machine of the Jupyter server draws:');
  if (front.virtual) {
    await expect.poll(() => front.wattsNow(), { timeout: 20_000 }).toBeGreaterThan(0.9 * RIG_W);
    expect(await front.wattsNow()).toBeLessThan(1.1 * RIG_W);
  }
  expect(front.complaints).toEqual([]);
});

test('beside a kernel that is not Python’s, and no more once one is', async ({ front }) => {
  await front.open({ cells: ['echo hello'], kernel: 'shell' });
  await front.show();
  await expect(front.status).toHaveText('greennb measures Python kernels; this notebook runs bash.');
  const host = front.panel.getByRole('region', { name: 'The server’s machine' });
  await expect(host.locator('.gnb-Now-amount')).toHaveText(/\d/, { timeout: 20_000 });
  await expect(host.locator('.gnb-Chart canvas').first()).toBeVisible();
  await front.open({ cells: ['1'] }, 'python.ipynb');
  await front.show();
  await expect(front.status).toHaveText(MEASURES);
  await expect(host).toBeHidden();
  await expect(front.panel.locator('.gnb-Now')).toHaveCount(1);
});

test('hidden: no socket, and none for a notebook whose kernel tells', async ({ front }) => {
  const open = new Set<string>();
  front.page.on('websocket', socket => {
    if (socket.url().includes('greennb/stream')) {
      open.add(socket.url());
      socket.on('close', () => open.delete(socket.url()));
    }
  });
  await front.page.goto(`${front.address}/lab`);
  await front.show();
  await expect.poll(() => open.size, { timeout: 20_000 }).toBe(1);
  await front.hide();
  await expect.poll(() => open.size).toBe(0);
});
