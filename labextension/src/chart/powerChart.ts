/** The chart of power over time: uPlot for scales, axes and size, the stack drawn by us. It draws when it is told. */
import type { IDisposable } from '@lumino/disposable';
import uPlot from 'uplot';

import { siStep } from '../format';
import type { IPowerHistory, IRun, IRunning } from '../tokens';
import { bandAt, bands, type IBand } from './bands';
import { drawingPace_ms, type IScale, type IWattAxis, Stack, timeTicks, wattAxis } from './geometry';
import type { ILayer } from './layers';
import { type IFrame, type IPaint, paintBands, paintMarks, paintStack, paintTimes } from './paint';
import { paintUnknown, scaleOf } from './paint';
import { colourOf, hatch, type IChartTheme, mixed, readTheme } from './theme';

/** What is drawn, read anew at each drawing. */
export interface IChartSource {
  readonly power: IPowerHistory;
  readonly runs: readonly IRun[];
  readonly running: IRunning | null;
}

/** What is under the pointer. */
export interface IHover {
  /** Seconds before now. */
  t_s: number;
  /** Watts of each layer; NaN where there is no reading. */
  layers_w: number[];
  /** Their sum as far as there are readings; NaN where there are none. */
  total_w: number;
  band: IBand | null;
  /** Where, in pixels of the host, and how wide that is. */
  x_px: number;
  width_px: number;
}

export interface IChartOptions {
  source: IChartSource;
  layers: readonly ILayer[];
  span_s: number;
  /** What stands at the right end of the time axis, while it moves and while it stands still. */
  words: { now: string; paused: string };
  /** The pointer is over the chart, or has left it. */
  onHover(hover: IHover | null): void;
  /** A cell's band has been pressed. */
  onBand(cellId: string): void;
}

const HEIGHT_PX = 150;
const GUTTER_PX = 40;
const FOOT_PX = 18;

export class PowerChart implements IDisposable {
  constructor(host: HTMLElement, options: IChartOptions) {
    this._host = host;
    this._options = options;
    this._span_s = options.span_s;
    this._members = options.layers.map(layer => layer.members);
    this._theme = readTheme(host);
    this._width_px = Math.max(GUTTER_PX + 20, host.clientWidth);
    this._fill();
    this._plot = new uPlot(this._plotOptions(), [[]], host);
    this._resizes = new ResizeObserver(() => this._resize());
    this._resizes.observe(host);
    host.addEventListener('pointermove', this._onMove);
    host.addEventListener('pointerleave', this._onLeave);
    host.addEventListener('click', this._onClick);
    this._paint();
  }

  /** What was drawn last. */
  readonly stack = new Stack();

  /** The cells of what was drawn last. */
  get bands(): readonly IBand[] {
    return this._bands;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  dispose(): void {
    if (this._disposed) {
      return;
    }
    this._disposed = true;
    cancelAnimationFrame(this._frame);
    this._resizes.disconnect();
    this._host.removeEventListener('pointermove', this._onMove);
    this._host.removeEventListener('pointerleave', this._onLeave);
    this._host.removeEventListener('click', this._onClick);
    this._plot.destroy();
  }

  /** Show the last `span_s` seconds. */
  setSpan(span_s: number): void {
    if (span_s !== this._span_s) {
      this._span_s = span_s;
      this._axis = null;
      this.draw();
    }
  }

  /** Hold the picture, or let it go on; the data goes on in any case. */
  setPaused(paused: boolean): void {
    const held_s = paused ? this._options.source.power.now_s() : NaN;
    if (paused !== Number.isFinite(this._held_s)) {
      this._held_s = held_s;
      this.draw();
    }
  }

  /** Read the colours again: the theme has changed. */
  recolour(): void {
    this._theme = readTheme(this._host);
    this._paints = null;
    this._paint();
  }

  /** New samples are there: draw in the next frame, unless that was done less than a pixel's time ago. */
  sampled(): void {
    const slot = Math.floor(performance.now() / drawingPace_ms(this._span_s, this._width_px));
    if (slot === this._slot || Number.isFinite(this._held_s)) {
      return;
    }
    this._slot = slot;
    cancelAnimationFrame(this._frame);
    this._frame = requestAnimationFrame(() => this.draw());
  }

  /** Draw now. */
  draw(): void {
    if (!this._disposed) {
      this._fill();
      this._paint();
      this._hover();
    }
  }

  private _fill(): void {
    const { power, runs, running } = this._options.source;
    const clock_s = power.now_s();
    const now_s = Number.isFinite(this._held_s) ? this._held_s : clock_s;
    const late_s = Math.max(0, clock_s - now_s) || 0;
    const view = power.view(this._span_s + late_s);
    this.stack.fill(view, this._members, now_s, this._span_s, this._width_px - GUTTER_PX);
    this._bands = bands(runs, running, now_s, this._span_s);
    this._axis = wattAxis(this.stack.max_w, this._axis);
  }

  /** Set the scales; uPlot then clears, calls our hooks and draws its axes. */
  private _paint(): void {
    const top_w = this._axis?.top_w ?? 1;
    this._plot.batch(() => {
      this._plot.setScale('y', { min: 0, max: top_w });
      this._plot.setScale('x', { min: -this._span_s, max: 0 });
    });
  }

  private _plotOptions(): uPlot.Options {
    return {
      width: this._width_px,
      height: HEIGHT_PX,
      pxAlign: 1,
      padding: [6, 1, 0, 0],
      cursor: { show: false },
      legend: { show: false },
      scales: {
        x: { time: false, auto: false, range: () => [-this._span_s, 0] },
        y: { auto: false, range: () => [0, this._axis?.top_w ?? 1] } // no room above: the stack is drawn by this scale
      },
      series: [{}],
      axes: [
        { show: true, size: FOOT_PX, grid: { show: false }, ticks: { show: false }, values: () => [] },
        {
          scale: 'y',
          size: GUTTER_PX,
          gap: 4,
          font: `10px ${this._theme.font}`,
          stroke: () => this._theme.text,
          grid: { stroke: () => this._theme.grid, width: 1 },
          ticks: { show: false },
          splits: () => this._axis?.ticks_w ?? [0],
          values: (_, ticks_w) => wattLabels(ticks_w)
        }
      ],
      hooks: { drawClear: [plot => this._below(plot)], draw: [plot => this._above(plot)] }
    };
  }

  private _below(plot: uPlot): void {
    const frame = frameOf(plot);
    paintBands(plot.ctx, frame, this._scale(plot), this._bands, this._theme);
  }

  private _above(plot: uPlot): void {
    const frame = frameOf(plot);
    const scale = this._scale(plot);
    const paints = (this._paints ??= this._mixPaints(plot.ctx, frame.ratio));
    const ticks = timeTicks(
      this._span_s,
      this._options.words[Number.isFinite(this._held_s) ? 'paused' : 'now']
    );
    plot.ctx.save();
    paintStack(plot.ctx, this.stack, scale, paints.layers, frame.ratio);
    paintUnknown(plot.ctx, this.stack, scale, this._axis?.top_w ?? 1, paints.unknown);
    paintMarks(plot.ctx, frame, scale, this._bands, this._theme);
    paintTimes(plot.ctx, frame, scale, ticks, this._theme);
    plot.ctx.restore();
  }

  /** The plot's own scale: the stack stands on the same watts as the lines behind it. */
  private _scale(plot: uPlot): IScale {
    return scaleOf(frameOf(plot), this._span_s, plot.scales.y.max ?? 1);
  }

  private _mixPaints(context: CanvasRenderingContext2D, ratio: number): IPaints {
    const layers = this._options.layers.map(layer => {
      const colour = colourOf(this._theme, layer.kind, layer.shade, layer.shades);
      const fill = layer.estimated ? hatch(context, colour, this._theme.stripe, ratio) : colour;
      return { fill, edge: layer.estimated ? colour : mixed(colour, 0, 0.15) };
    });
    const stripes = (colour: string) => hatch(context, 'transparent', colour, ratio, 5);
    return {
      layers,
      unknown: { partial: stripes(this._theme.unknown), nothing: stripes(this._theme.unwatched) }
    };
  }

  private _resize(): void {
    const width_px = this._host.clientWidth;
    if (width_px > GUTTER_PX && width_px !== this._width_px) {
      this._width_px = width_px;
      this._plot.setSize({ width: width_px, height: HEIGHT_PX });
      this.draw();
    }
  }

  private _onMove = (event: PointerEvent): void => {
    const box = this._host.getBoundingClientRect();
    this._pointer_px = event.clientX - box.left;
    this._hover();
    this._host.classList.toggle('gnb-mod-pressable', this._bandAtPointer()?.cellId != null);
  };

  private _onLeave = (): void => {
    this._pointer_px = NaN;
    this._options.onHover(null);
  };

  private _onClick = (): void => {
    const cellId = this._bandAtPointer()?.cellId;
    if (cellId) {
      this._options.onBand(cellId);
    }
  };

  private _bandAtPointer(): IBand | null {
    return bandAt(this._bands, this._pointer_s());
  }

  private _pointer_s(): number {
    return ((this._pointer_px - GUTTER_PX) / (this._width_px - GUTTER_PX) - 1) * this._span_s;
  }

  private _hover(): void {
    if (!Number.isFinite(this._pointer_px)) {
      return;
    }
    const t_s = this._pointer_s();
    const bin = this.stack.at(t_s);
    if (bin < 0 || this._pointer_px < GUTTER_PX) {
      this._options.onHover(null);
      return;
    }
    this._options.onHover({
      t_s,
      layers_w: this._members.map((_, layer) => this.stack.layer_w(layer, bin)),
      total_w: this.stack.total_w(bin),
      band: bandAt(this._bands, t_s),
      x_px: this._pointer_px,
      width_px: this._width_px
    });
  }

  private readonly _host: HTMLElement;
  private readonly _options: IChartOptions;
  private readonly _members: readonly (readonly number[])[];
  private readonly _plot: uPlot;
  private readonly _resizes: ResizeObserver;
  private _theme: IChartTheme;
  private _paints: IPaints | null = null;
  private _bands: readonly IBand[] = [];
  private _axis: IWattAxis | null = null;
  private _span_s: number;
  private _held_s = NaN;
  private _pointer_px = NaN;
  private _width_px: number;
  private _slot = NaN;
  private _frame = 0;
  private _disposed = false;
}

interface IPaints {
  layers: IPaint[];
  unknown: Record<'partial' | 'nothing', string | CanvasPattern>;
}

function frameOf(plot: uPlot): IFrame {
  return { ...plot.bbox, ratio: uPlot.pxRatio };
}

/** "0", "50", "100 W": the unit stands at the top. */
function wattLabels(ticks_w: readonly number[]): string[] {
  const [step, prefix] = siStep(ticks_w[ticks_w.length - 1]);
  return ticks_w.map((tick_w, index) => {
    const amount = String(Number((tick_w / step).toPrecision(3)));
    return index === ticks_w.length - 1 ? `${amount} ${prefix}W` : amount;
  });
}
