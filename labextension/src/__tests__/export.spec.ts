/** Files that other programs read: whole, and harmless in a spreadsheet. */
import { toCsv, toJson } from '../export';
import type { IRun } from '../tokens';
import { run } from './measurements';

const at = (made: IRun, cell_index: number, cell_source = 'fit()'): IRun => ({
  ...made,
  cell_index,
  cell_source
});

describe('toJson', () => {
  it("has every run, and the latest of each cell in the notebook's order", () => {
    const runs = [at(run('b', 30), 1), at(run('a', 10), 0), at(run('b', 40), 1), at(run('gone', 5), -1)];
    const written = JSON.parse(toJson(runs, 'train.ipynb'));
    expect(written.runs.map((it: any) => it.total_j)).toEqual([30, 10, 40, 5]);
    expect(written.cells.map((it: any) => [it.cell_index, it.total_j])).toEqual([
      [0, 10],
      [1, 40]
    ]);
    expect([written.total_j, written.notebook, written.host]).toEqual([50, 'train.ipynb', 'bench']);
  });

  it('has the fields by which Python reads it again', () => {
    const [cell] = JSON.parse(toJson([at(run('a', 10), 0, 'x = 1\nfit(x)')])).cells;
    expect(cell.source).toBe('x = 1\nfit(x)');
    expect(Number.isInteger(cell.t0_ns) && cell.t1_ns > cell.t0_ns).toBe(true);
  });

  it('has null, not 0, for what was not measured', () => {
    const nothing = { total_j: null, low_j: null, high_j: null, method: null, domains: [], partial: true };
    const written = JSON.parse(toJson([at(run('a', 0, nothing), 0)]));
    expect([written.total_j, written.cells[0].total_j]).toEqual([null, null]);
  });

  it('can be nothing', () => {
    expect(JSON.parse(toJson([]))).toMatchObject({ cells: [], runs: [], total_j: null });
  });
});

describe('toCsv', () => {
  const rows = (text: string): string[] => text.split('\r\n').slice(0, -1);

  it('has a row a run, and empty fields for what was not measured', () => {
    const [names, row] = rows(toCsv([at(run('a', 10, { id: 'w' }), 0)]));
    expect(names.split(',').slice(0, 4)).toEqual(['id', 'parent_id', 'started_at', 'cell_index']);
    expect(row.split(',').slice(0, 4)).toEqual(['w', '', '2026-03-01T12:00:00+00:00', '0']);
    expect(names.split(',')).toHaveLength(row.split(',').length);
  });

  it.each(['=1+1', '+A1', '-2', '@SUM(A1)', '\tx', '\rx'])('makes %j no formula', source => {
    expect(toCsv([at(run('a', 10), 0, source)])).toContain(`'${source}`);
  });

  it('keeps quotes, commas and lines within their field', () => {
    expect(toCsv([at(run('a', 10), 0, 'print("a, b")\nx')])).toContain('"print(""a, b"")\nx"');
  });

  it('writes a negative number as a number', () => {
    expect(toCsv([at(run('a', -3.5), 0)])).toContain(',-3.5,');
  });
});
