/** What the panel says, from messages to words in the page. */
import { nullTranslator } from '@jupyterlab/translation';
import { MessageLoop } from '@lumino/messaging';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import React, { act } from 'react';

import { Advice } from '../panels/advice';
import { Budget } from '../panels/budget';
import { Cells } from '../panels/cells';
import { Header } from '../panels/header';
import { Live } from '../panels/live';
import type { IPartProps } from '../panels/part';
import { PartRegistry } from '../panels/registry';
import { blocks, strayFaults, totalNow } from '../panels/rows';
import { Sensors } from '../panels/sensors';
import { Sidebar } from '../panels/sidebar';
import { dearest, pressed, sorted } from '../panels/sorting';
import { nextTab } from '../panels/tabs';
import { amountAndInterval, bytes, memory, roundAmount, shortTime } from '../panels/text';
import { DEFAULTS } from '../settings';
import type { ICellCost, IEnergyModel, ILatest, INotebookEnergy } from '../tokens';
import type { IDomain, IFinding, IHello, IMeasurement } from '../wire';

// JupyterLab brings react-dom; its types are no dependency of ours
const { createRoot } = require('react-dom/client') as { createRoot(host: Element): IRoot };

interface IRoot {
  render(element: JSX.Element): void;
  unmount(): void;
}

const HOSTILE = '<img src=x onerror="window.stolen = 1">\u202e\u0007evil';
const trans = nullTranslator.load('greennb');

function domain(id: string, over: Partial<IDomain> = {}): IDomain {
  return {
    id,
    kind: 'gpu',
    label: id,
    host: 'h',
    inside: null,
    method: 'counter',
    note: '',
    max_w: 700,
    root: true,
    ...over
  };
}

function hello(domains: IDomain[], faults: IHello['faults'] = []): IHello {
  return {
    v: 1,
    type: 'hello',
    greennb: '0.1.0',
    schema: 1,
    host: 'lab-7',
    pid: 1,
    python: '3.13',
    session: 's',
    t_s: 0,
    domains,
    sources: [],
    faults,
    settings: { measure: true, zone: '', pue: 1, intensity: null, price: 0, currency: '' }
  };
}

function latest(watts: (number | null)[], over: Partial<ILatest> = {}): ILatest {
  return {
    t_s: 10,
    watts,
    low: watts.map(() => null),
    high: watts.map(() => null),
    gauges: [],
    faults: [],
    ...over
  };
}

function measured(over: Partial<IMeasurement> = {}): IMeasurement {
  return {
    label: '',
    cell_id: 'c1',
    execution_count: 1,
    parent_id: null,
    status: 'ok',
    duration_s: 2,
    total_j: 100,
    low_j: 90,
    high_j: 110,
    net_j: null,
    net_u_j: null,
    mean_w: 50,
    method: 'counter',
    partial: false,
    co2e_g: 0.01,
    ...over
  } as IMeasurement;
}

function cell(
  id: string,
  index: number,
  over: Partial<IMeasurement> = {},
  rest: Partial<ICellCost> = {}
): ICellCost {
  const run = {
    t0_s: 0,
    t1_s: 2,
    source: `source of ${id}`,
    measurement: measured({ cell_id: id, ...over })
  };
  return { id, index, run, runs: 1, change: null, share: null, ...rest };
}

/** A notebook as the panel sees it. What it says is the test's; that it is what the model says is model.spec.ts's. */
function notebook(over: Record<string, unknown> = {}): INotebookEnergy & { jumps: string[] } {
  const signal = () => new Signal<object, unknown>({});
  const jumps: string[] = [];
  return {
    panel: {
      title: { label: 'train.ipynb', changed: signal() },
      sessionContext: { kernelDisplayName: 'Python 3 (ipykernel)' }
    },
    state: { kind: 'live', sentence: 'Live.', command: '', step: null, stepLabel: '' },
    did: '',
    hello: null,
    settings: null,
    power: { latest: null, version: 0, now_s: () => 10.2, view: () => ({ t_s: [], watts: [], bin_s: 1 }) },
    cells: [],
    runs: [],
    running: null,
    waste: [],
    findings: [],
    budget_j: null,
    notebookTotal: { runs: 0, total_j: null, net_j: null },
    sessionTotal: null,
    stateChanged: signal(),
    factsChanged: signal(),
    sampled: signal(),
    cellsChanged: signal(),
    adviceChanged: signal(),
    jumps,
    jumpTo: (id: string) => jumps.push(id) > 0,
    ...over
  } as unknown as INotebookEnergy & { jumps: string[] };
}

let root: IRoot;
let host: HTMLElement;

beforeEach(() => {
  (globalThis as Record<string, unknown>).IS_REACT_ACT_ENVIRONMENT = true;
  host = document.body.appendChild(document.createElement('div'));
  root = createRoot(host);
});

afterEach(() => {
  act(() => root.unmount());
  host.remove();
});

function model(energy: INotebookEnergy | null, over: Record<string, unknown> = {}): IEnergyModel {
  const signal = () => new Signal<object, unknown>({});
  const settings = { ...DEFAULTS };
  return {
    current: energy,
    settings,
    currentChanged: signal(),
    settingsChanged: signal(),
    ...over
  } as unknown as IEnergyModel;
}

function show(
  Part: React.ComponentType<IPartProps>,
  energy: INotebookEnergy,
  over: Partial<IPartProps> = {}
): string {
  const props: IPartProps = {
    model: model(energy),
    energy,
    trans,
    view: { span_s: 60, tab: 'cells', net: false },
    setView: () => undefined,
    execute: () => undefined,
    ...over
  };
  act(() => root.render(<Part {...props} />));
  return host.textContent ?? '';
}

describe('watts now', () => {
  it('count roots once and say what is estimated', () => {
    const said = hello([
      domain('cpu', { kind: 'cpu_package', method: 'estimated' }),
      domain('core', { inside: 'cpu', root: false }),
      domain('gpu')
    ]);
    expect(totalNow(said, latest([40, 30, 100]))).toEqual({
      watts: 140,
      method: 'estimated',
      partial: false
    });
  });

  it('a root without a reading makes them partial, and none at all is not 0', () => {
    const said = hello([domain('a'), domain('b')]);
    expect(totalNow(said, latest([0, null]))).toEqual({ watts: 0, method: 'counter', partial: true });
    expect(totalNow(said, latest([null, null])).watts).toBeNull();
    expect(totalNow(said, null).watts).toBeNull();
  });

  it('put what is inside below what holds it, and faults without a row apart', () => {
    const fault = { domain: 'dram', label: 'DRAM', reason: 'no permission', hint: 'chmod' };
    const said = hello([domain('core', { inside: 'cpu', root: false }), domain('cpu')], [fault]);
    const [block] = blocks(said, latest([1, 2]), () => '');
    expect(block.rows.map(({ key, depth }) => [key, depth])).toEqual([
      ['cpu', 0],
      ['core', 1]
    ]);
    expect(strayFaults(said, null)).toEqual([fault]);
  });

  it('survive domains that hold each other', () => {
    const said = hello([
      domain('root'),
      domain('a', { inside: 'b', root: false }),
      domain('b', { inside: 'a', root: false })
    ]);
    expect(blocks(said, null, () => '')).toHaveLength(1);
  });
});

describe('the live part', () => {
  const said = hello([domain('NVIDIA H200', { label: 'NVIDIA H200' })]);

  it('shows a failed read as no number, with the reason', () => {
    const faults = [{ domain: 'NVIDIA H200', label: '', reason: 'the driver hangs', hint: '' }];
    const energy = notebook({ hello: said, power: { latest: latest([null], { faults }), now_s: () => 10 } });
    const text = show(Live, energy);
    expect(text).toContain('not readable · why');
    expect(text).not.toMatch(/\b0 W/);
    expect(host.querySelector('.gnb-Row .gnb-Link')?.getAttribute('title')).toBe('the driver hangs');
  });

  it('does not call old watts "now"', () => {
    const power = { latest: latest([100]), now_s: () => 40 };
    expect(show(Live, notebook({ hello: said, power }))).toContain('no sample for 30 s');
    expect(host.textContent).not.toContain('100');
  });

  it('folds 64 GPUs into one row and unfolds them', () => {
    const many = hello(Array.from({ length: 64 }, (_, index) => domain(`GPU ${index}`)));
    const power = { latest: latest(many.domains.map(() => 100)), now_s: () => 10 };
    expect(show(Live, notebook({ hello: many, power }))).toContain('6.40 kW');
    expect(host.querySelectorAll('.gnb-Row')).toHaveLength(1);
    act(() => host.querySelector<HTMLElement>('.gnb-Fold')?.click());
    expect(host.querySelectorAll('.gnb-Row')).toHaveLength(65);
  });

  it('shows hostile labels as text', () => {
    const energy = notebook({
      hello: hello(
        [domain('x', { label: HOSTILE, note: HOSTILE })],
        [{ domain: null, label: HOSTILE, reason: HOSTILE, hint: HOSTILE }]
      ),
      power: { latest: latest([5]), now_s: () => 10 }
    });
    for (const Part of [Live, Sensors, Header]) {
      const text = show(Part, energy);
      expect(host.querySelector('img')).toBeNull();
      expect(text).not.toContain('\u202e');
    }
    show(Live, energy);
    expect(host.textContent).toContain('<img src=x');
    expect((window as unknown as { stolen?: number }).stolen).toBeUndefined();
  });
});

describe('the table of cells', () => {
  const cells = [
    cell('a', 0, { total_j: 5, execution_count: 7 }, { change: { ratio: -0.38, distinct: true } }),
    cell('b', 1, { total_j: 500 }, { change: { ratio: 0.5, distinct: false } }),
    cell('c', 2, { total_j: null, method: null })
  ];

  it('shows a percent only where the two runs are distinct', () => {
    const text = show(Cells, notebook({ cells, runs: [cells[0].run] }));
    expect(text).toContain('−38 %');
    expect(text).not.toContain('50 %');
    expect(text).toContain('≈');
    expect(text).toContain('not measured');
  });

  it('is sorted by a press on a column, which says so', () => {
    show(Cells, notebook({ cells, notebookTotal: { net_j: null } }));
    act(() => host.querySelector<HTMLElement>('th.gnb-mod-joules button')?.click());
    expect(host.querySelector('th.gnb-mod-joules')?.getAttribute('aria-sort')).toBe('descending');
    expect(host.querySelector('tbody .gnb-Cells-source')?.textContent).toBe('source of b');
  });

  it('leads to the cell', () => {
    const energy = notebook({ cells });
    show(Cells, energy);
    act(() => host.querySelector<HTMLElement>('tbody button')?.click());
    expect(energy.jumps).toEqual(['a']);
  });

  it('shows the dearest 200 of 2,000 in the notebook’s order', () => {
    const many = Array.from({ length: 2000 }, (_, index) => cell(`c${index}`, index, { total_j: index }));
    show(Cells, notebook({ cells: many }));
    expect(host.querySelectorAll('tbody tr')).toHaveLength(200);
    expect(host.querySelector('tbody .gnb-Cells-source')?.textContent).toBe('source of c1800');
    expect(host.textContent).toContain('The 200 dearest of 2000 cells.');
  });

  it('says why it is empty', () => {
    expect(show(Cells, notebook())).toContain('No cell has been measured yet');
    expect(show(Cells, notebook({ settings: { measure: false } }))).toContain('%%energy');
  });

  it('keeps what is not known at the end, whichever the way', () => {
    for (const down of [true, false]) {
      expect(sorted(cells, { key: 'joules', down }, false)[2].id).toBe('c');
    }
    expect(pressed({ key: 'joules', down: true }, 'joules')).toEqual({ key: 'joules', down: false });
    expect(dearest(cells, 1).map(({ id }) => id)).toEqual(['b']);
  });
});

describe('advice', () => {
  const finding: IFinding = {
    code: 'GNB204',
    name: 'evaluates with gradients on',
    framework: 'torch',
    severity: 'act',
    source: 'the guide',
    cell_id: null,
    evidence: [{ name: 'forwards', value: 312, unit: '1' }],
    suggestion: 'Use inference mode.',
    code_change: HOSTILE,
    trial: null
  };

  it('claims no saving without a trial, and one with it', () => {
    expect(show(Advice, notebook({ findings: [finding] }))).not.toMatch(/[Ss]aves/);
    const trial = { verdict: 'saves', ratio: 0.62, interval: [0.59, 0.66], quality: '', break_even: null };
    expect(show(Advice, notebook({ findings: [{ ...finding, trial }] }))).toContain(
      'Saves 38 % here · 95 %: 34 % to 41 %'
    );
  });

  it('inserts code, never runs it', () => {
    const inserted: string[] = [];
    show(Advice, notebook({ findings: [finding], insertCode: (code: string) => inserted.push(code) }));
    const insert = [...host.querySelectorAll('button')].find(button => button.textContent === 'Insert');
    act(() => insert?.click());
    expect(inserted).toEqual([HOSTILE]);
    act(() => host.querySelector<HTMLElement>('[aria-expanded]')?.click());
    expect(host.querySelector('pre')?.textContent).toBe(HOSTILE);
    expect(host.querySelector('img')).toBeNull();
  });
});

describe('the budget', () => {
  it('says in words that it is over', () => {
    const text = show(Budget, notebook({ budget_j: 20_000, notebookTotal: { total_j: 31_400 } }));
    expect(text).toContain('Over budget: 157 % of 20 kJ');
    expect(host.querySelector('[role=meter]')?.getAttribute('aria-valuetext')).toContain('Over budget');
  });

  it('takes amounts as people type them and refuses what is none', () => {
    const set: (number | null)[] = [];
    show(Budget, notebook({ setBudget: (budget_j: number | null) => set.push(budget_j) }));
    const type = (text: string) => {
      const input = host.querySelector('input')!;
      const write = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!.set!;
      act(() => {
        write.call(input, text);
        input.dispatchEvent(new Event('input', { bubbles: true }));
      });
      act(() => {
        host.querySelector('form')?.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }));
      });
    };
    act(() => host.querySelector<HTMLElement>('button')?.click());
    type('a lot');
    expect(host.textContent).toContain('Write an amount');
    type('2 Wh');
    expect(set).toEqual([7200]);
  });
});

describe('the sidebar', () => {
  function attached(energy: INotebookEnergy | null) {
    const watching = { count: 0, begun: 0 };
    const watch = () => {
      watching.count++;
      watching.begun++;
      return { isDisposed: false, dispose: () => void watching.count-- };
    };
    const parts = new PartRegistry();
    const Broken = () => {
      throw new Error('boom');
    };
    parts.add({ id: 'broken', place: 'top', rank: 1, title: () => 'The broken part', component: Broken });
    parts.add({ id: 'cells', place: 'tab', rank: 1, title: () => 'Cells', component: Cells });
    const sidebar = new Sidebar({
      model: model(energy, { watch }),
      parts,
      trans,
      themeChanged: null,
      execute: () => undefined
    });
    return { sidebar, watching };
  }

  it('watches and draws only while it is seen', async () => {
    const { sidebar, watching } = attached(null);
    sidebar.hide();
    await act(async () => Widget.attach(sidebar, document.body));
    expect([watching.begun, sidebar.node.textContent]).toEqual([0, '']);
    await act(async () => {
      sidebar.show();
      MessageLoop.flush();
    });
    expect(watching.count).toBe(1);
    expect(sidebar.node.textContent).toContain('Open a notebook');
    sidebar.hide();
    expect(watching.count).toBe(0);
    sidebar.show();
    expect(watching.count).toBe(1);
    await act(async () => sidebar.dispose());
    expect([watching.count, watching.begun]).toEqual([0, 2]);
  });

  it('a part that fails says so, and the others stay', async () => {
    const silent = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    const { sidebar } = attached(notebook({ hello: hello([]) }));
    await act(async () => {
      Widget.attach(sidebar, document.body);
      MessageLoop.flush();
    });
    expect(sidebar.node.textContent).toContain('The broken part could not be shown');
    expect(sidebar.node.textContent).toContain('No cell has been measured yet');
    await act(async () => sidebar.dispose());
    silent.mockRestore();
  });
});

it('arrows lead around the tabs', () => {
  expect([nextTab('ArrowRight', 2, 3), nextTab('ArrowLeft', 0, 3), nextTab('End', 0, 3)]).toEqual([0, 2, 2]);
  expect(nextTab('a', 0, 3)).toBeNull();
});

it('writes memory, times and set amounts as people read them', () => {
  expect([bytes(0), bytes(1.5e9), bytes(31e9)]).toEqual(['0 B', '1.5 GB', '31 GB']);
  expect(memory(31e9, 141e9)).toBe('31 / 141 GB');
  expect(memory(300e6, 141e9)).toBe('300 MB / 141 GB');
  expect(memory(null, 141e9)).toBe('');
  expect([shortTime(0.02), shortTime(4), shortTime(136), shortTime(9000)]).toEqual([
    '20.0 ms',
    '4.0 s',
    '2.3 min',
    '2.5 h'
  ]);
  expect([roundAmount(20_000, 'J'), roundAmount(1500, 'J'), roundAmount(500, 'J')]).toEqual([
    '20 kJ',
    '1.5 kJ',
    '500 J'
  ]);
  expect(
    amountAndInterval({ total_j: 12_400, low_j: 12_100, high_j: 12_700, method: 'counter' }, 'J')
  ).toEqual(['12.4 kJ', '± 0.3']);
});
