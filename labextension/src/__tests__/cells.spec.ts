/** A cell costs what its latest run cost, where the cell stands now. */
import { Runs, changeOf } from '../cells';
import { energy, measurement, run } from './measurements';

function remembered(...runs: ReturnType<typeof run>[]): Runs {
  const all = new Runs();
  runs.forEach(it => all.add(it));
  return all;
}

describe('account', () => {
  it("has the latest run of each cell, in the notebook's order", () => {
    const runs = remembered(run('b', 30), run('a', 10), run('b', 40));
    const { cells, total } = runs.account(['a', 'b', 'c'], null);
    expect(cells.map(({ id, index, runs: n, run: { measurement: m } }) => [id, index, n, m.total_j])).toEqual(
      [
        ['a', 0, 1, 10],
        ['b', 1, 2, 40]
      ]
    );
    expect(total.total_j).toBe(50);
    expect(total.runs).toBe(2);
  });

  it('follows a moved cell, leaves a deleted one out, and knows it again when it is back', () => {
    const runs = remembered(run('a', 10), run('b', 30));
    expect(runs.account(['b', 'a'], null).cells.map(it => [it.id, it.index])).toEqual([
      ['b', 0],
      ['a', 1]
    ]);
    const without = runs.account(['b'], null);
    expect(without.cells.map(it => it.id)).toEqual(['b']);
    expect(without.total.total_j).toBe(30);
    expect(runs.account(['b', 'x', 'a'], null).cells.map(it => it.index)).toEqual([0, 2]);
  });

  it('shares the whole among the cells', () => {
    const { cells } = remembered(run('a', 10), run('b', 30)).account(['a', 'b'], null);
    expect(cells.map(it => it.share)).toEqual([0.25, 0.75]);
  });

  it('has no share of nothing', () => {
    const nothing = { total_j: null, low_j: null, high_j: null, method: null, domains: [] };
    expect(remembered(run('a', 0, nothing)).account(['a'], null).cells[0].share).toBeNull();
    expect(remembered(run('a', 0)).account(['a'], null).cells[0].share).toBeNull();
  });

  it("does not count a run inside another cell's window twice, whichever ends first", () => {
    const inner = run('a', 5, { id: 'inner', parent_id: 'outer' });
    const outer = run('a', 20, { id: 'outer' });
    expect(remembered(inner).account(['a'], 'outer').cells).toEqual([]);
    for (const runs of [remembered(inner, outer), remembered(outer, inner)]) {
      const { cells, total } = runs.account(['a'], null);
      expect(total.total_j).toBe(20);
      expect(cells.map(it => it.runs)).toEqual([1]);
    }
  });

  it('leaves out what no cell of this notebook ran', () => {
    expect(remembered(run(null, 10), run('elsewhere', 10)).account(['a'], null).cells).toEqual([]);
  });

  it('knows a run only once', () => {
    const runs = new Runs();
    const one = run('a', 10);
    expect([runs.add(one), runs.add({ ...one })]).toEqual([true, false]);
    expect(runs.account(['a'], null).cells[0].runs).toBe(1);
  });

  it('takes what came before in its place, though it is told later', () => {
    const runs = remembered(
      run('a', 20, { started_at: '2026-03-01T12:00:01.5+00:00' }),
      run('a', 10, { started_at: '2026-03-01T12:00:01+00:00' })
    );
    expect(runs.account(['a'], null).cells[0].run.measurement.total_j).toBe(20);
  });

  it('forgets the oldest runs first, and never has many more than its bound', () => {
    const runs = new Runs(100);
    for (let n = 0; n < 1000; n++) {
      runs.add(run(`c${n}`, 1));
    }
    expect(runs.all.length).toBeLessThanOrEqual(110);
    expect(runs.all[runs.all.length - 1].measurement.cell_id).toBe('c999');
  });

  it('takes 10,000 runs of 2,000 cells in little time', () => {
    const runs = new Runs();
    const order = Array.from({ length: 2000 }, (_, n) => `c${n}`);
    for (let n = 0; n < 10_000; n++) {
      runs.add(run(order[n % 2000], 1));
    }
    const began = performance.now();
    expect(runs.account(order, null).cells).toHaveLength(2000);
    expect(performance.now() - began).toBeLessThan(150);
  });
});

describe('change since the run before', () => {
  const changes = (...runs: ReturnType<typeof run>[]) =>
    remembered(...runs).account(['a'], null).cells[0].change;

  it('is none at the first run', () => {
    expect(changes(run('a', 10))).toBeNull();
  });

  it('is shown as a difference only where the intervals lie apart', () => {
    expect(changes(run('a', 100), run('a', 62))).toEqual({ ratio: -0.38, distinct: true });
    expect(changes(run('a', 100), run('a', 103))?.distinct).toBe(false);
    expect(changeOf(measurement(100, { low_j: null }), measurement(10))?.distinct).toBe(false);
  });

  it('is against the latest run that came to its end', () => {
    expect(changes(run('a', 100), run('a', 3, { status: 'interrupted' }), run('a', 50))?.ratio).toBe(-0.5);
    expect(changes(run('a', 100), run('a', 3, { status: 'error' }))).toBeNull();
  });

  it('is none between runs that stand for other hardware', () => {
    const more = measurement(100, { domains: [energy(50), energy(50, { device: 'GPU-2' })] });
    expect(changeOf(more, measurement(50))).toBeNull();
  });

  it('is none where a run has no joules', () => {
    expect(changeOf(measurement(10), measurement(0, { total_j: null }))).toBeNull();
    expect(changeOf(measurement(0), measurement(10))).toBeNull();
  });
});
