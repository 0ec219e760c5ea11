/** What the panel says, from messages to words in the page. */
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { act } from 'react';

import { Budget } from '../panels/budget';
import { Cells } from '../panels/cells';
import { Header } from '../panels/header';
import { Live } from '../panels/live';
import { PartRegistry } from '../panels/registry';
import { blocks, strayFaults, totalNow } from '../panels/rows';
import { Sensors } from '../panels/sensors';
import { Sidebar } from '../panels/sidebar';
import { dearest, pressed, sorted } from '../panels/sorting';
import { nextTab } from '../panels/tabs';
import { amountAndInterval, bytes, memory, roundAmount, shortTime } from '../panels/text';
import type { INotebookEnergy } from '../tokens';
import { HOSTILE, cell, domain, hello, host, latest, model, notebook, show, trans } from './shownPart';

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
