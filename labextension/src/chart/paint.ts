/** Drawing on the chart's canvas, in device pixels: bands below, the stack, the time axis. */
import { siStep } from '../format';
import type { IBand } from './bands';
import { drawArea, drawEdge, drawUnknown, type IScale, NOTHING, PARTIAL, type Stack } from './geometry';

/** Where the chart lies on the canvas. */
export interface IFrame {
  left: number;
  top: number;
  width: number;
  height: number;
  /** Device pixels a pixel. */
  ratio: number;
}

/** How a layer is filled: a colour, or a pattern where it is estimated; and its outline. */
export interface IPaint {
  fill: string | CanvasPattern;
  edge: string;
}

/** Narrower bands have no mark: it would stand over the next. */
const LEAST_MARK_PX = 14;
const FONT_PX = 10;
/** How opaque a layer is: the bands of the cells are seen through it. */
const SHINE_THROUGH = 0.82;

/** Seconds before now and watts to device pixels. */
export function scaleOf(frame: IFrame, span_s: number, top_w: number): IScale {
  return {
    x: t_s => frame.left + Math.max(0, Math.min(1, (t_s + span_s) / span_s)) * frame.width,
    y: w => frame.top + frame.height * (1 - w / top_w)
  };
}

/** The cells, behind everything: a tint, a line where it begins, its count at the top. */
export function paintBands(
  context: CanvasRenderingContext2D,
  frame: IFrame,
  scale: IScale,
  bands: readonly IBand[],
  colours: { band: string; bandEdge: string }
): void {
  let painted = -Infinity;
  for (const band of bands) {
    const left = Math.round(scale.x(band.from_s));
    const width = Math.max(frame.ratio, Math.round(scale.x(band.to_s)) - left);
    if (left + width <= painted) {
      continue; // many short cells within a pixel
    }
    painted = left + width;
    context.fillStyle = colours.band;
    context.fillRect(left, frame.top, width, frame.height);
    if (width > 3 * frame.ratio) {
      context.fillStyle = colours.bandEdge;
      context.fillRect(left, frame.top, frame.ratio, frame.height);
    }
  }
}

/** The cells' counts, over the stack. */
export function paintMarks(
  context: CanvasRenderingContext2D,
  frame: IFrame,
  scale: IScale,
  bands: readonly IBand[],
  colours: { text: string; surface: string; font: string }
): void {
  context.font = `${FONT_PX * frame.ratio}px ${colours.font}`;
  context.textAlign = 'left';
  context.textBaseline = 'top';
  context.lineJoin = 'round';
  context.lineWidth = 3 * frame.ratio;
  context.strokeStyle = colours.surface;
  context.fillStyle = colours.text;
  for (const band of bands) {
    const left = scale.x(band.from_s);
    const room = scale.x(band.to_s) - left;
    if (!band.mark || room < Math.max(LEAST_MARK_PX, band.mark.length * 6) * frame.ratio) {
      continue;
    }
    context.strokeText(band.mark, left + 3 * frame.ratio, frame.top + 2 * frame.ratio);
    context.fillText(band.mark, left + 3 * frame.ratio, frame.top + 2 * frame.ratio);
  }
}

/** The watt axis, behind the stack: a line and a number a tick, the unit at the top. */
export function paintWatts(
  context: CanvasRenderingContext2D,
  frame: IFrame,
  scale: IScale,
  ticks_w: readonly number[],
  colours: { text: string; grid: string; font: string }
): void {
  const [step, prefix] = siStep(ticks_w[ticks_w.length - 1]);
  context.font = `${FONT_PX * frame.ratio}px ${colours.font}`;
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  ticks_w.forEach((tick_w, tick) => {
    const amount = String(Number((tick_w / step).toPrecision(3)));
    const y = Math.round(scale.y(tick_w));
    context.fillStyle = colours.text;
    context.fillText(
      tick === ticks_w.length - 1 ? `${amount} ${prefix}W` : amount,
      frame.left - 4 * frame.ratio,
      y
    );
    context.fillStyle = colours.grid;
    context.fillRect(frame.left, y, frame.width, frame.ratio);
  });
}

/** The layers, lowest first, each with its upper edge. */
export function paintStack(
  context: CanvasRenderingContext2D,
  stack: Stack,
  scale: IScale,
  paints: readonly IPaint[],
  ratio: number
): void {
  context.lineWidth = ratio;
  context.lineJoin = 'round';
  paints.forEach((paint, layer) => {
    context.beginPath();
    drawArea(stack, layer, scale, context);
    context.globalAlpha = SHINE_THROUGH;
    context.fillStyle = paint.fill;
    context.fill();
    context.globalAlpha = 1;
    context.beginPath();
    drawEdge(stack, layer, scale, context);
    context.strokeStyle = paint.edge;
    context.stroke();
  });
}

/** What is not known, in stripes: those of a sensor that failed differ from those of a time that nobody watched. */
export function paintUnknown(
  context: CanvasRenderingContext2D,
  stack: Stack,
  scale: IScale,
  top_w: number,
  stripes: { partial: string | CanvasPattern; nothing: string | CanvasPattern }
): void {
  context.beginPath();
  drawUnknown(stack, PARTIAL, top_w, scale, context);
  context.fillStyle = stripes.partial;
  context.fill();
  context.beginPath();
  drawUnknown(stack, NOTHING, top_w, scale, context);
  context.fillStyle = stripes.nothing;
  context.fill();
}

/** The words of the time axis: the first stands at the left end, the last at the right. */
export function paintTimes(
  context: CanvasRenderingContext2D,
  frame: IFrame,
  scale: IScale,
  ticks: { at_s: readonly number[]; labels: readonly string[] },
  colours: { text: string; font: string }
): void {
  context.font = `${FONT_PX * frame.ratio}px ${colours.font}`;
  context.textAlign = 'left';
  context.textBaseline = 'top';
  context.fillStyle = colours.text;
  const y = frame.top + frame.height + 4 * frame.ratio;
  const last = ticks.labels.length - 1;
  let taken = -Infinity;
  ticks.labels.forEach((label, tick) => {
    const width = context.measureText(label).width;
    const share = tick === 0 ? 0 : tick === last ? 1 : 0.5;
    const left = scale.x(ticks.at_s[tick]) - width * share;
    if (left > taken + 4 * frame.ratio || tick === last) {
      context.fillText(label, left, y);
      taken = left + width;
    }
  });
}
