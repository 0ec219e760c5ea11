import { bandAt, bands } from '../chart/bands';
import {
  BEFORE,
  drawArea,
  drawEdge,
  drawingPace_ms,
  drawUnknown,
  type IPen,
  NOTHING,
  PARTIAL,
  Stack,
  timeTicks,
  wattAxis,
  WHOLE
} from '../chart/geometry';
import { layersOf, MANY } from '../chart/layers';
import { colourOf, type IChartTheme, mixed } from '../chart/theme';
import type { IPowerView, IRun } from '../tokens';
import type { IDomain } from '../wire';

const NONE = NaN;

function view(bin_s: number, first_s: number, ...watts: number[][]): IPowerView {
  const count = watts[0].length;
  return {
    bin_s,
    t_s: Float64Array.from({ length: count }, (_, bin) => first_s + (bin + 0.5) * bin_s),
    watts: watts.map(row => Float32Array.from(row))
  };
}

function stackOf(layers: number[][], most = 1000, ...watts: number[][]): Stack {
  const stack = new Stack();
  const count = watts[0].length;
  stack.fill(view(1, 100, ...watts), layers, 100 + count, count, most);
  return stack;
}

/** Remembers the shapes that were drawn. */
class Recorder implements IPen {
  shapes: [number, number][][] = [];
  moveTo(x: number, y: number): void {
    this.shapes.push([[x, y]]);
  }
  lineTo(x: number, y: number): void {
    this.shapes[this.shapes.length - 1].push([x, y]);
  }
  closePath(): void {}
}

const asIs = { x: (t_s: number) => t_s, y: (w: number) => w };

describe('the stack', () => {
  it('adds the layers one on the other', () => {
    const stack = stackOf([[0], [1]], 1000, [10, 20], [5, 6]);
    expect(Array.from(stack.tops[1].subarray(0, 2))).toEqual([15, 26]);
    expect(stack.layer_w(1, 1)).toBe(6);
    expect(stack.max_w).toBe(26);
    expect(Array.from(stack.t_s.subarray(0, 2))).toEqual([-1.5, -0.5]);
  });

  it('has no watts where nothing was read, and says what is missing', () => {
    const stack = stackOf([[0], [1]], 1000, [NONE, 10, NONE, NONE], [NONE, 5, 5, NONE]);
    expect(Array.from(stack.state.subarray(0, 4))).toEqual([BEFORE, WHOLE, PARTIAL, NOTHING]);
    expect(stack.layer_w(0, 2)).toBeNaN();
    expect(stack.layer_w(1, 2)).toBe(5);
    expect(stack.total_w(3)).toBeNaN();
  });

  it('keeps 0 W apart from no reading', () => {
    const stack = stackOf([[0]], 1000, [0, NONE]);
    expect(stack.layer_w(0, 0)).toBe(0);
    expect(stack.state[0]).toBe(WHOLE);
    expect(stack.layer_w(0, 1)).toBeNaN();
  });

  it('shows what is known of many in one layer, and that one of them is missing', () => {
    const stack = stackOf([[0, 1]], 1000, [10], [NONE]);
    expect(stack.layer_w(0, 0)).toBe(10);
    expect(stack.state[0]).toBe(PARTIAL);
  });

  it('averages bins in groups that keep their place when time goes on', () => {
    const stack = new Stack();
    const watts = [2, 4, 6, 8, 10, 12, 14, 16];
    stack.fill(view(1, 100, watts), [[0]], 108, 8, 4);
    expect(stack.length).toBe(4);
    expect(Array.from(stack.tops[0].subarray(0, 4))).toEqual([3, 7, 11, 15]);
    stack.fill(view(1, 101, [...watts.slice(1), 18]), [[0]], 109, 8, 4);
    expect(Array.from(stack.tops[0].subarray(1, 4))).toEqual([7, 11, 15]);
  });

  it('leaves out what lies outside the time that is shown', () => {
    const stack = new Stack();
    stack.fill(view(1, 0, [9, 2, 3, 4, 5, 9]), [[0]], 4.2, 2, 100);
    expect(stack.max_w).toBe(5);
  });

  it('takes a number of layers that grows and shrinks', () => {
    const stack = new Stack();
    stack.fill(view(1, 0, [1, 2], [3, 4]), [[0], [1]], 2, 2, 10);
    stack.fill(view(1, 0, [1, 2, 5]), [[0]], 3, 3, 10);
    expect(stack.tops).toHaveLength(1);
    expect(stack.total_w(2)).toBe(5);
  });
});

describe('paths', () => {
  it('break where there is no reading and reach to the edges of their bins', () => {
    const pen = new Recorder();
    drawArea(stackOf([[0]], 1000, [10, 20, NONE, 30]), 0, asIs, pen);
    expect(pen.shapes).toHaveLength(2);
    expect(pen.shapes[0]).toEqual([
      [-4, 10],
      [-3.5, 10],
      [-2.5, 20],
      [-2, 20],
      [-2, 0],
      [-4, 0]
    ]);
    expect(pen.shapes[1].every(([x]) => x >= -1)).toBe(true);
  });

  it('stand on the layer below', () => {
    const pen = new Recorder();
    drawArea(stackOf([[0], [1]], 1000, [10, 20], [5, 5]), 1, asIs, pen);
    expect(Math.min(...pen.shapes[0].map(([, y]) => y))).toBe(10);
  });

  it('do not slope towards a power that nobody read, where a layer below is missing', () => {
    const pen = new Recorder();
    drawArea(stackOf([[0], [1]], 1000, [10, NONE, 10], [5, 5, 5]), 1, asIs, pen);
    expect(pen.shapes).toHaveLength(3);
    for (const shape of pen.shapes) {
      expect(Math.max(...shape.map(([, y]) => y)) - Math.min(...shape.map(([, y]) => y))).toBe(5);
    }
  });

  it('draw 0 W as a line and no reading as none', () => {
    const zero = new Recorder();
    drawEdge(stackOf([[0]], 1000, [0, 0]), 0, asIs, zero);
    expect(zero.shapes[0].every(([, y]) => y === 0)).toBe(true);
    const none = new Recorder();
    drawEdge(stackOf([[0]], 1000, [NONE, NONE]), 0, asIs, none);
    expect(none.shapes).toEqual([]);
  });

  it('mark what is unknown above what is known, and nothing before the first reading', () => {
    const pen = new Recorder();
    const stack = stackOf([[0], [1]], 1000, [NONE, 10, NONE], [NONE, 5, 5]);
    drawUnknown(stack, PARTIAL, 40, asIs, pen);
    drawUnknown(stack, NOTHING, 40, asIs, pen);
    expect(pen.shapes).toHaveLength(1);
    const ys = pen.shapes[0].map(([, y]) => y);
    expect([Math.min(...ys), Math.max(...ys)]).toEqual([5, 40]);
    expect(pen.shapes[0].every(([x]) => x >= -1)).toBe(true);
  });
});

describe('the watt axis', () => {
  it('holds the load with few round ticks', () => {
    for (const max_w of [0, 0.3, 7, 99, 139, 151, 980, 10_000, 44_800]) {
      const { top_w, ticks_w } = wattAxis(max_w, null);
      expect(top_w).toBeGreaterThanOrEqual(max_w);
      expect(ticks_w[0]).toBe(0);
      expect(ticks_w[ticks_w.length - 1]).toBeCloseTo(top_w);
      expect(ticks_w.length).toBeLessThanOrEqual(5);
    }
  });

  it('does not jump when the load wavers, grows at once, and shrinks when half is unused', () => {
    const axis = wattAxis(148, null);
    expect(wattAxis(axis.top_w * 0.6, axis)).toBe(axis);
    expect(wattAxis(axis.top_w, axis)).toBe(axis);
    expect(wattAxis(axis.top_w + 1, axis).top_w).toBeGreaterThan(axis.top_w);
    expect(wattAxis(axis.top_w * 0.4, axis).top_w).toBeLessThan(axis.top_w);
  });
});

describe('the time axis', () => {
  it.each([
    [60, ['−60 s', '−45', '−30', '−15', 'now']],
    [300, ['−5 min', '−4', '−3', '−2', '−1', 'now']],
    [3600, ['−60 min', '−45', '−30', '−15', 'now']]
  ])('of %d s', (span_s, labels) => {
    const ticks = timeTicks(span_s, 'now');
    expect(ticks.labels).toEqual(labels);
    expect([ticks.at_s[0], ticks.at_s[labels.length - 1]]).toEqual([-span_s, 0]);
  });

  it('is drawn no more often than a pixel of it lasts, and than twice a second', () => {
    expect(drawingPace_ms(60, 1000)).toBe(500);
    expect(drawingPace_ms(300, 240)).toBe(1500);
    expect(drawingPace_ms(3600, 240)).toBe(15_000);
  });
});

function run(t0_s: number, t1_s: number, count: number, parent_id: string | null = null): IRun {
  const measurement = { execution_count: count, cell_id: `c${count}`, parent_id, label: '' };
  return { t0_s, t1_s, source: `cell ${count}`, measurement } as IRun;
}

describe('bands', () => {
  it('are cut at the edges, without what is over and what lies within another', () => {
    const all = bands([run(0, 10, 1), run(35, 50, 2), run(70, 80, 3), run(72, 74, 4, 'w')], null, 100, 60);
    expect(all.map(({ mark, from_s, to_s }) => [mark, from_s, to_s])).toEqual([
      ['[2]', -60, -50],
      ['[3]', -30, -20]
    ]);
  });

  it('the running cell reaches to now', () => {
    const running = { window: 'w', cell_id: 'c9', t_s: 90, label: 'fit()', count: null };
    const [band] = bands([], running, 100, 60);
    expect(band).toMatchObject({ mark: '[*]', from_s: -10, to_s: 0, open: true, cellId: 'c9' });
  });

  it('are found by time', () => {
    const all = bands([run(50, 60, 1), run(60, 70, 2)], null, 100, 60);
    expect(bandAt(all, -45)?.cellId).toBe('c1');
    expect(bandAt(all, -35)?.cellId).toBe('c2');
    expect(bandAt(all, -5)).toBeNull();
  });
});

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

describe('layers', () => {
  it('are the roots in order; what another holds is not counted twice', () => {
    const layers = layersOf(
      [domain('cpu', { kind: 'cpu_package' }), domain('core', { inside: 'cpu', root: false }), domain('gpu')],
      () => ''
    );
    expect(layers.map(({ key, members }) => [key, members])).toEqual([
      ['cpu', [0]],
      ['gpu', [2]]
    ]);
  });

  it('many of a kind are one, and estimates are not mixed with measurements', () => {
    const many = Array.from({ length: MANY + 1 }, (_, index) => domain(`g${index}`));
    const layers = layersOf(
      [...many, domain('e', { method: 'estimated' })],
      (kind, count) => `${count} ${kind}`
    );
    expect(layers.map(({ label, members, estimated }) => [label, members.length, estimated])).toEqual([
      [`${MANY + 1} gpu`, MANY + 1, false],
      ['e', 1, true]
    ]);
  });

  it('a board of eight sockets, each with its memory, is two layers and not sixteen', () => {
    const sockets = Array.from({ length: 8 }, (_, at) => [
      domain(`cpu${at}`, { kind: 'cpu_package' }),
      domain(`dram${at}`, { kind: 'dram' })
    ]).flat();
    expect(layersOf(sockets, kind => kind).map(({ label }) => label)).toEqual(['cpu_package', 'dram']);
    expect(layersOf(sockets.slice(0, 8), kind => kind)).toHaveLength(8);
  });

  it('of one kind differ in shade', () => {
    const theme = { kinds: new Map([['gpu', '#3f9b46']]), other: '#777777' } as unknown as IChartTheme;
    const layers = layersOf([domain('a'), domain('b'), domain('c')], () => '');
    const colours = layers.map(({ kind, shade, shades }) => colourOf(theme, kind, shade, shades));
    expect(new Set(colours).size).toBe(3);
    expect(colourOf(theme, 'gpu')).toBe('#3f9b46');
    expect(colourOf(theme, 'something new')).toBe('#777777');
  });
});

it('mixing leaves alone what is no colour of six digits', () => {
  expect(mixed('#000000', 255, 0.5)).toBe('rgb(128, 128, 128)');
  expect(mixed('tomato', 0, 0.5)).toBe('tomato');
});
