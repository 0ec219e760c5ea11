import { nullTranslator } from '@jupyterlab/translation';

import { changeWords, costBadge, runningBadge } from '../badgeText';
import { byCost, nextDearest } from '../dearest';
import { powerNow, statusText } from '../statusText';
import type { ICellCost, INotebookEnergy, ITotal } from '../tokens';
import type { IDomain, IMeasurement } from '../wire';

const trans = nullTranslator.load('greennb');
const SETTINGS = { units: 'J', heat: true } as const;

const ESTIMATED: IMeasurement = {
  schema: 1,
  id: 'w1',
  label: '',
  cell_id: 'a',
  execution_count: 4,
  parent_id: null,
  status: 'ok',
  started_at: '2026-03-01T12:00:00+00:00',
  duration_s: 0.93,
  host: 'bench',
  total_j: 41.2,
  low_j: 28,
  high_j: 60,
  net_j: null,
  net_u_j: null,
  process_j: null,
  mean_w: 44.3,
  method: 'estimated',
  partial: false,
  domains: [],
  faults: [],
  co2e_g: 0.0054,
  pue: 1,
  intensity: {
    g_per_kwh: 475,
    low: null,
    high: null,
    zone: 'world',
    origin: 'world',
    as_of: '2024',
    provider: '',
    note: ''
  },
  overhead_s: 0
};

const MISSING: IMeasurement = {
  ...ESTIMATED,
  total_j: null,
  low_j: null,
  high_j: null,
  mean_w: null,
  method: null,
  co2e_g: null,
  intensity: null,
  partial: true,
  faults: [{ domain: null, reason: 'no source works here', hint: 'greennb doctor' }]
};

function cost(measurement: Partial<IMeasurement> = {}, more: Partial<ICellCost> = {}): ICellCost {
  const run = { t0_s: 1, t1_s: 2, source: 'x = 1', measurement: { ...ESTIMATED, ...measurement } };
  return { id: 'a', index: 0, run, runs: 1, change: null, share: 0.25, ...more };
}

describe('a badge', () => {
  it('says the joules, and everything else on its tooltip', () => {
    const badge = costBadge(cost({}, { change: { ratio: -0.38, distinct: true } }), SETTINGS, trans);
    expect(badge.text).toBe('~41 J');
    expect(badge.look).toBe('estimated');
    expect(badge.tooltip.split('\n')).toEqual([
      '~41 J (28–60) at 95 %',
      '0.93 s, ~44 W on average',
      'estimated: a model of power, not a sensor',
      '~5.4 mg CO2e (world average)',
      '−38 % since the last run',
      "25 % of the notebook's energy"
    ]);
    expect(badge.name).toBe('Energy of this cell: 41 J, estimated. Open the energy panel.');
    expect(badge.heat).toBe(0.25);
  });

  it('is never 0 where nothing could be measured, and says why', () => {
    const badge = costBadge(cost(MISSING), SETTINGS, trans);
    expect(badge.text).toBe('– J');
    expect(badge.look).toBe('unavailable');
    expect(badge.flawed).toBe(true);
    expect(badge.heat).toBeNull();
    expect(badge.tooltip).toContain('Not measured');
    expect(badge.tooltip).toContain('no source works here. greennb doctor');
    expect(badge.name).toContain('not measured');
    expect(badge.tooltip).not.toMatch(/\b0 J/);
  });

  it('is no finer than its interval', () => {
    const wide = cost({ total_j: 692.3, low_j: 370, high_j: 1780, method: 'integrated' });
    expect(costBadge(wide, SETTINGS, trans).text).toBe('690 J');
  });

  it('marks a run that ended badly', () => {
    const badge = costBadge(cost({ status: 'interrupted' }), SETTINGS, trans);
    expect(badge.flawed).toBe(true);
    expect(badge.tooltip).toContain('interrupted');
    expect(costBadge(cost(), SETTINGS, trans).flawed).toBe(false);
  });

  it('follows the settings', () => {
    const badge = costBadge(
      cost({ total_j: 7200, low_j: 6900, high_j: 7500, method: 'counter' }),
      {
        units: 'Wh',
        heat: false
      },
      trans
    );
    expect(badge.text).toBe('2.00 Wh');
    expect(badge.tooltip).toContain('2.00 Wh ± 0.09 at 95 %');
    expect(badge.heat).toBeNull();
  });

  it('shows no saving where the intervals overlap', () => {
    expect(changeWords({ ratio: -0.5, distinct: false }, trans)).not.toMatch(/50/);
  });

  it('of a running cell has no number', () => {
    expect(runningBadge(trans).text).not.toMatch(/\d/);
  });
});

describe('the dearest cell', () => {
  const cells = [
    cost({ total_j: 5 }, { id: 'cheap', index: 0 }),
    cost({ total_j: 50 }, { id: 'dear', index: 1 }),
    cost({ total_j: null }, { id: 'unknown', index: 2 }),
    cost({ total_j: 500 }, { id: 'gone', index: -1 })
  ];

  it('is one that is there and was measured', () => {
    expect(byCost(cells).map(cell => cell.id)).toEqual(['dear', 'cheap']);
  });

  it('is followed by the next, and by the first again', () => {
    expect(nextDearest(cells, 'elsewhere')?.id).toBe('dear');
    expect(nextDearest(cells, null)?.id).toBe('dear');
    expect(nextDearest(cells, 'dear')?.id).toBe('cheap');
    expect(nextDearest(cells, 'cheap')?.id).toBe('dear');
    expect(nextDearest([], null)).toBeNull();
  });
});

describe('the status item', () => {
  const domain = (more: Partial<IDomain>): IDomain => ({
    id: 'gpu:0',
    kind: 'gpu',
    label: 'GPU 0',
    host: 'bench',
    inside: null,
    method: 'counter',
    note: '',
    max_w: 700,
    root: true,
    ...more
  });
  const domains = [domain({}), domain({ method: 'estimated' }), domain({ root: false })];
  const nothing: ITotal = {
    runs: 0,
    total_j: null,
    low_j: null,
    high_j: null,
    net_j: null,
    co2e_g: null,
    duration_s: 0,
    method: null,
    partial: false
  };
  const total: ITotal = { ...nothing, runs: 3, total_j: 1200, low_j: 1100, high_j: 1300, method: 'counter' };

  function energy(more: Record<string, unknown> = {}): INotebookEnergy {
    return {
      state: { kind: 'live', sentence: '', command: '', step: null, stepLabel: '' },
      hello: { domains },
      power: { latest: { watts: [96, 43, 20] } },
      runs: [cost().run],
      sessionTotal: total,
      notebookTotal: total,
      budget_j: null,
      ...more
    } as unknown as INotebookEnergy;
  }

  it('adds up what no other domain holds, by the worst of their methods', () => {
    expect(powerNow(domains, [96, 43, 20])).toEqual({ watts: 139, method: 'estimated', partial: false });
    expect(powerNow(domains, [96, null, 20])).toEqual({ watts: 96, method: 'counter', partial: true });
    expect(powerNow(domains, [null, null, 20])).toEqual({ watts: null, method: null, partial: true });
    expect(powerNow(domains, [])).toEqual({ watts: null, method: null, partial: true });
  });

  it('says watts now while samples come, and the last mean otherwise', () => {
    expect(statusText(energy(), true, 'J', trans).text).toBe('~140 W · 1.20 kJ');
    expect(statusText(energy(), false, 'J', trans).text).toBe('⌀ ~44 W · 1.20 kJ');
  });

  it('says that a sum is partial', () => {
    const partial = energy({ sessionTotal: { ...total, partial: true } });
    expect(statusText(partial, true, 'J', trans).text).toBe('~140 W · ≥ 1.20 kJ');
    expect(statusText(partial, true, 'J', trans).tooltip).toContain('in 3 runs, partial');
  });

  it('says nothing that it does not know', () => {
    const known = energy({
      hello: null,
      power: { latest: null },
      runs: [],
      sessionTotal: null,
      notebookTotal: nothing
    });
    expect(statusText(known, true, 'J', trans).text).toBe('');
    const blind = energy({ power: { latest: { watts: [null, null, null] } } });
    expect(statusText(blind, true, 'J', trans).text).toBe('1.20 kJ');
    expect(statusText(blind, true, 'J', trans).tooltip).toContain('cannot be read');
  });

  it('says in words that the notebook is over its budget', () => {
    const over = statusText(energy({ budget_j: 1000 }), false, 'J', trans);
    expect(over.over).toBe(true);
    expect(over.text).toContain('over budget');
    expect(over.tooltip).toContain('over its budget of 1.00 kJ by 20 %');
    expect(statusText(energy({ budget_j: 2400 }), false, 'J', trans).tooltip).toContain('50 % of its budget');
  });
});
