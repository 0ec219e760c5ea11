/** What the views are told of each notebook. */
import { Signal } from '@lumino/signaling';

import { FakeKernel, HELLO, NO_TOTAL } from './fakeKernel';
import { FakePanel } from './fakeNotebook';
import { measurement } from './measurements';
import { opened } from './openNotebooks';
import { pass, usePage } from './watchedPage';

function ended(cell_id: string, total_j: number, id = `${cell_id}-${total_j}`) {
  return {
    v: 1,
    type: 'ended',
    t0_s: 100,
    t1_s: 102,
    source: 'fit()',
    measurement: { ...measurement(total_j), id, cell_id },
    session: { ...NO_TOTAL, runs: 1, total_j }
  };
}

usePage();

describe('cells', () => {
  it('are told with at most ten signals a second, however many end', async () => {
    const panel = new FakePanel();
    const { energy } = opened(panel);
    await pass(1000);
    let told = 0;
    energy.cellsChanged.connect(() => told++);
    for (let n = 0; n < 200; n++) {
      panel.kernel.stream.say(ended('a', n + 1));
      await pass(5);
    }
    await pass(200);
    expect(told).toBeLessThanOrEqual(12);
    expect(energy.cells).toMatchObject([{ id: 'a', index: 0, runs: 200, share: 1 }]);
    expect(energy.notebookTotal.total_j).toBe(200);
  });

  it('follow the notebook', async () => {
    const panel = new FakePanel();
    const { energy } = opened(panel);
    await pass(1000);
    panel.kernel.stream.say(ended('a', 10));
    panel.kernel.stream.say(ended('c', 30));
    panel.model.reorder(['c', 'x', 'a']);
    expect(energy.cells.map(it => [it.id, it.index])).toEqual([
      ['c', 0],
      ['a', 2]
    ]);
    panel.model.reorder(['x', 'a']);
    expect(energy.notebookTotal.total_j).toBe(10);
    expect(energy.runs).toHaveLength(2);
  });

  it('cost nothing while nothing was measured', async () => {
    const panel = new FakePanel();
    const { energy } = opened(panel);
    await pass(1000);
    let told = 0;
    energy.cellsChanged.connect(() => told++);
    panel.model.reorder(['b']);
    await pass(1000);
    expect(told).toBe(0);
  });

  it('that run are known, until they have ended', async () => {
    const panel = new FakePanel();
    const { energy } = opened(panel);
    await pass(1000);
    panel.kernel.stream.say({
      v: 1,
      type: 'began',
      window: 'w',
      cell_id: 'a',
      t_s: 100,
      label: '',
      count: 3
    });
    expect(energy.running).toMatchObject({ window: 'w', cell_id: 'a' });
    panel.kernel.stream.say(ended('a', 10, 'w'));
    expect(energy.running).toBeNull();
  });

  it('that were measured before this page was opened are there', async () => {
    const panel = new FakePanel();
    panel.kernel.answers.history = () => ({
      v: 1,
      type: 'history',
      cells: [ended('a', 10), ended('b', 20)],
      session: { ...NO_TOTAL, runs: 2, total_j: 30 },
      t_s: [98, 99],
      w: [[7, 8]]
    });
    const { energy } = opened(panel);
    await pass(1000);
    expect(energy.cells.map(it => it.id)).toEqual(['a', 'b']);
    expect(energy.sessionTotal?.total_j).toBe(30);
    expect([...energy.power.view(60).watts[0]]).toContain(8);
  });

  it('stay after a restart, and the session begins anew', async () => {
    const panel = new FakePanel();
    const { energy } = opened(panel);
    await pass(1000);
    panel.kernel.stream.say(ended('a', 10));
    panel.kernel.answers.hello = () => ({ ...HELLO, session: 's2', t_s: 200 });
    panel.kernel.set('restarting');
    panel.session.connection('connecting');
    panel.session.connection('connected');
    panel.kernel.set('idle');
    await pass(1000);
    expect(energy.state.kind).toBe('live');
    expect(energy.cells).toHaveLength(1);
    expect(energy.sessionTotal).toMatchObject({ runs: 0, total_j: null });
    expect(energy.runs).toHaveLength(1); // the machine's clock goes on, and the chart with it
  });

  it('are no bands any more on the clock of another machine', async () => {
    const panel = new FakePanel();
    const { energy } = opened(panel);
    await pass(1000);
    panel.kernel.stream.say(ended('a', 10));
    const other = new FakeKernel();
    other.answers.hello = () => ({ ...HELLO, session: 's2', host: 'elsewhere', t_s: 5000 });
    panel.session.use(other);
    await pass(1000);
    expect([energy.runs.length, energy.cells.length]).toEqual([0, 1]);
  });

  it('are exported with their place and code', async () => {
    const panel = new FakePanel();
    const { energy } = opened(panel);
    await pass(1000);
    panel.kernel.stream.say(ended('b', 10));
    panel.kernel.stream.say(ended('gone', 20));
    expect(energy.exported()).toMatchObject([
      { cell_index: 1, cell_source: '# b\nfit()' },
      { cell_index: -1, cell_source: 'fit()' }
    ]);
  });
});

describe('in the notebook', () => {
  it('jumps to a cell that is there', () => {
    const panel = new FakePanel();
    const { energy } = opened(panel);
    expect([energy.jumpTo('c'), energy.jumpTo('gone')]).toEqual([true, false]);
    expect(panel.content).toMatchObject({ activeCellIndex: 2, mode: 'command', scrolledTo: [2] });
  });

  it('puts code below the active cell, and does not run it', async () => {
    const panel = new FakePanel();
    const { energy } = opened(panel);
    await pass(1000);
    panel.kernel.executed = [];
    energy.insertCode('torch.cuda.empty_cache()');
    expect(panel.model.sharedModel.cells.map(cell => cell.getSource())[1]).toBe('torch.cuda.empty_cache()');
    expect(panel.content.activeCellIndex).toBe(1);
    await pass(1000);
    expect(panel.kernel.executed).toEqual([]);
  });

  it('keeps the budget in the metadata, and tells of changes from elsewhere', async () => {
    const panel = new FakePanel();
    const { model, energy } = opened(panel);
    await pass(1000);
    let told = 0;
    energy.cellsChanged.connect(() => told++);
    expect(energy.budget_j).toBeNull();
    energy.setBudget(20_000);
    await pass(200);
    expect(panel.model.metadata.greennb).toMatchObject({ budget_j: 20_000 });
    expect([energy.budget_j, told]).toEqual([20_000, 1]);
    energy.setBudget(null);
    expect(panel.model.metadata).not.toHaveProperty('greennb');
    await model.set('budget_j', 500);
    expect(energy.budget_j).toBe(500);
  });

  it.each(['text', 7, null, [], { budget_j: 'x', dismissed: 7, never: [{}, null] }, { budget_j: -5 }])(
    'takes metadata %j for nothing',
    data => {
      const panel = new FakePanel();
      panel.model.metadata.greennb = data;
      const { energy } = opened(panel);
      expect([energy.budget_j, energy.findings]).toEqual([null, []]);
    }
  );
});

describe('waste', () => {
  it('is over where the kernel is', async () => {
    const panel = new FakePanel();
    const { energy } = opened(panel);
    await pass(1000);
    const item = { kind: 'cpu', domain: null, label: 'CPU', watts: 5, method: null, seconds: 9, why: 'w' };
    panel.kernel.stream.say({ v: 1, type: 'waste', items: [item] });
    expect(energy.waste).toHaveLength(1);
    panel.kernel.set('restarting');
    expect(energy.waste).toEqual([]);
  });
});

describe('settings', () => {
  it('of zone and PUE go to the kernel where they are set', async () => {
    const panel = new FakePanel();
    const { model } = opened(panel);
    await pass(1000);
    const sets = () => panel.kernel.asked.filter(it => it.ask === 'set').map(({ zone, pue }) => [zone, pue]);
    expect(sets()).toEqual([]);
    await model.set('zone', 'FRA');
    await model.set('rate_hz', 3);
    await model.set('pue', 1.3);
    await pass();
    expect(sets()).toEqual([
      ['FRA', undefined],
      ['FRA', 1.3]
    ]);
  });

  it('have every cell measured, or only the marked ones', async () => {
    const panel = new FakePanel();
    const { energy } = opened(panel);
    await pass(1000);
    await energy.setMeasure(false);
    await energy.setMeasure(true);
    expect(panel.kernel.asked.filter(it => it.ask === 'set').map(({ measure }) => measure)).toEqual([
      false,
      true
    ]);
  });

  it('that the kernel refuses are said', async () => {
    const panel = new FakePanel();
    panel.kernel.answers.set = () => ({ v: 1, type: 'refused', reason: 'There is no such place.' });
    const { model, energy } = opened(panel);
    await pass(1000);
    await model.set('zone', 'Atlantis');
    await pass();
    expect(energy.did).toContain('There is no such place.');
  });

  it('are read from the registry, and written to it', async () => {
    const { model } = opened(new FakePanel());
    const registry = {
      composite: { rate_hz: 5, budget_j: 'much' } as any,
      changed: new Signal<object, void>({}),
      set: jest.fn(async () => undefined),
      remove: jest.fn(async () => undefined)
    };
    model.useSettings(registry as any);
    expect(model.settings).toMatchObject({ rate_hz: 5, budget_j: null });
    await model.set('units', 'Wh');
    await model.set('budget_j', null);
    expect(registry.set).toHaveBeenCalledWith('units', 'Wh');
    expect(registry.remove).toHaveBeenCalledWith('budget_j');
  });
});

describe('notebooks', () => {
  it('are let go with their panels', async () => {
    const panel = new FakePanel();
    const { model, energy } = opened(panel);
    await pass(1000);
    panel.dispose();
    expect([energy.isDisposed, model.of(panel.panel), model.current]).toEqual([true, null, null]);
    expect(panel.kernel.open).toEqual([]);
    expect([energy.cells, energy.budget_j]).toEqual([[], null]);
  });

  it('that share nothing know nothing of each other', async () => {
    const [one, two] = [new FakePanel(), new FakePanel()];
    const { model } = opened(one, two);
    await pass(1000);
    one.kernel.stream.say(ended('a', 10));
    expect(model.of(one.panel)?.cells).toHaveLength(1);
    expect(model.of(two.panel)?.cells).toEqual([]);
  });
});
