/** axe finds no serious fault in the panel, in any theme, with something in every tab. */
import AxeBuilder from '@axe-core/playwright';

import { expect, test } from './front';
import { FINDING, WASTE } from './said';

const THEMES = ['JupyterLab Light', 'JupyterLab Dark', 'JupyterLab Dark High Contrast'];
const TABS = ['Cells', 'Advice', 'Sensors'];

for (const theme of THEMES) {
  test(`axe finds nothing serious in ${theme}`, async ({ front }) => {
    await front.open({ cells: ['import time; time.sleep(1)', '1/0', FINDING, WASTE] });
    await front.show();
    await front.live();
    await front.setBudget('1 J');
    await front.run(0);
    await front.run(1);
    await front.run(2);
    await front.run(3);
    await expect(front.panel.getByRole('tab', { name: 'Advice 3' })).toBeVisible({ timeout: 40_000 });
    await front.theme(theme);
    for (const tab of TABS) {
      await front.tab(tab);
      const { violations } = await new AxeBuilder({ page: front.page }).include('#greennb-panel').analyze();
      const bad = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      const said = bad.map(({ id, nodes }) => `${tab}: ${id}: ${nodes.map(node => node.html).join(' | ')}`);
      expect(said).toEqual([]);
    }
  });
}
