/** The chart of power over time, on a canvas. It draws when it is told. */
import type { IDisposable } from '@lumino/disposable';

import type { IPowerHistory, IRun, IRunning } from '../tokens';
import { bandAt, bands, type IBand } from './bands';
import { makeCanvas, pixelRatio, resize } from './canvas';
import { drawingPace_ms, type IWattAxis, Stack, timeTicks, wattAxis } from './geometry';
import type { ILayer } from './layers';
import { type IFrame, type IPaint, paintBands, paintMarks, paintStack, paintTimes } from './paint';
import { paintUnknown, paintWatts, scaleOf } from './paint';
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
const TOP_PX = 6;
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
    this._context = makeCanvas(host);
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
    this._context.canvas.remove();
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

  private _paint(): void {
    const context = this._context;
    if (pixelRatio() !== this._ratio) {
      // Zoomed, or moved to another screen.
      this._ratio = pixelRatio();
      this._paints = null;
      resize(context, this._width_px, HEIGHT_PX);
    }
    const frame = this._frameOfCanvas();
    const top_w = this._axis?.top_w ?? 1;
    const scale = scaleOf(frame, this._span_s, top_w);
    const paints = (this._paints ??= this._mixPaints(context, frame.ratio));
    const end = Number.isFinite(this._held_s) ? this._options.words.paused : this._options.words.now;
    context.clearRect(0, 0, context.canvas.width, context.canvas.height);
    paintBands(context, frame, scale, this._bands, this._theme);
    paintWatts(context, frame, scale, this._axis?.ticks_w ?? [0], this._theme);
    paintStack(context, this.stack, scale, paints.layers, frame.ratio);
    paintUnknown(context, this.stack, scale, top_w, paints.unknown);
    paintMarks(context, frame, scale, this._bands, this._theme);
    paintTimes(context, frame, scale, timeTicks(this._span_s, end), this._theme);
  }

  private _frameOfCanvas(): IFrame {
    const ratio = pixelRatio();
    return {
      left: GUTTER_PX * ratio,
      top: TOP_PX * ratio,
      width: (this._width_px - GUTTER_PX) * ratio,
      height: (HEIGHT_PX - TOP_PX - FOOT_PX) * ratio,
      ratio
    };
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
      this._ratio = NaN; // the canvas is too
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
  private readonly _context: CanvasRenderingContext2D;
  private readonly _resizes: ResizeObserver;
  private _theme: IChartTheme;
  private _paints: IPaints | null = null;
  private _bands: readonly IBand[] = [];
  private _axis: IWattAxis | null = null;
  private _span_s: number;
  private _held_s = NaN;
  private _pointer_px = NaN;
  private _width_px: number;
  private _ratio = NaN;
  private _slot = NaN;
  private _frame = 0;
  private _disposed = false;
}

interface IPaints {
  layers: IPaint[];
  unknown: Record<'partial' | 'nothing', string | CanvasPattern>;
}
