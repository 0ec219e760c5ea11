/** The panel follows the theme, its chart too. */
import { expect, test } from './front';
import type { Front } from './front';

test('a change of theme changes the panel and its chart', async ({ front }) => {
  await front.open({ cells: ['1'] });
  await front.show();
  await front.live();
  const light = await look(front);
  expect(light.axis).toBeLessThan(128);
  await front.theme('JupyterLab Dark');
  await expect.poll(async () => (await look(front)).axis).toBeGreaterThan(128);
  const dark = await look(front);
  expect(dark.ground).not.toBe(light.ground);
  expect(dark.ink).not.toBe(light.ink);
  await front.theme('JupyterLab Light');
  await expect.poll(async () => (await look(front)).axis).toBeLessThan(128);
});

interface ILook {
  ground: string;
  ink: string;
  /** How light the chart draws its axis: 0 to 255. */
  axis: number;
}

async function look(front: Front): Promise<ILook> {
  await expect(front.panel.locator('canvas')).toBeVisible();
  return front.panel.evaluate(panel => {
    const canvas = panel.querySelector('canvas')!;
    const { width, height } = canvas;
    // The numbers of the axis stand in the left tenth.
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, Math.floor(width / 10), height);
    let sum = 0;
    let weight = 0;
    for (let at = 0; at < data.length; at += 4) {
      sum += ((data[at] + data[at + 1] + data[at + 2]) / 3) * data[at + 3];
      weight += data[at + 3];
    }
    return {
      ground: getComputedStyle(panel).backgroundColor,
      ink: getComputedStyle(panel.querySelector('.gnb-Now-amount')!).color,
      axis: weight ? sum / weight : NaN
    };
  });
}
