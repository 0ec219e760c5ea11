/** The chart's colours, read from the style sheet (style/chart.css) of the theme in force. */

/** Colours as a canvas takes them. */
export interface IChartTheme {
  text: string;
  grid: string;
  surface: string;
  band: string;
  bandEdge: string;
  /** Stripes where a sensor gave no reading, and where nobody watched. */
  unknown: string;
  unwatched: string;
  /** Stripes over what is estimated. */
  stripe: string;
  font: string;
  /** The colour of each kind of domain. */
  kinds: ReadonlyMap<string, string>;
  other: string;
}

const KINDS = ['gpu', 'cpu_package', 'cpu_core', 'cpu_uncore', 'dram', 'psys', 'battery', 'soc'];

/** What the style sheet says at `element`. */
export function readTheme(element: Element): IChartTheme {
  const style = getComputedStyle(element);
  const colour = (name: string, fallback: string) =>
    style.getPropertyValue(`--gnb-${name}`).trim() || fallback;
  return {
    text: colour('muted', '#737373'),
    grid: colour('line', '#e0e0e0'),
    surface: colour('surface', '#ffffff'),
    band: colour('band', 'rgba(0, 0, 0, 0.05)'),
    bandEdge: colour('band-edge', 'rgba(0, 0, 0, 0.2)'),
    unknown: colour('unknown', '#8f5600'),
    unwatched: colour('unwatched', '#cccccc'),
    stripe: colour('stripe', 'rgba(255, 255, 255, 0.6)'),
    font: style.fontFamily || 'sans-serif',
    kinds: new Map(KINDS.map(kind => [kind, colour(kind, '#737a84')])),
    other: colour('other', '#737a84')
  };
}

/** The colour of a kind of domain, in one of `shades` shades: from darker to lighter around the kind's own. */
export function colourOf(theme: IChartTheme, kind: string, shade = 0, shades = 1): string {
  const base = theme.kinds.get(kind) ?? theme.other;
  if (shades < 2) {
    return base;
  }
  const place = shade / (shades - 1);
  return place < 0.5 ? mixed(base, 0, 0.3 * (1 - 2 * place)) : mixed(base, 255, 0.45 * (2 * place - 1));
}

/** `hex` ("#3f9b46") with a share of black (0) or white (255); what is no such colour stays as it is. */
export function mixed(hex: string, towards: 0 | 255, share: number): string {
  const parts = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(hex);
  if (!parts) {
    return hex;
  }
  const mix = (part: string) => Math.round(parseInt(part, 16) * (1 - share) + towards * share);
  return `rgb(${parts.slice(1).map(mix).join(', ')})`;
}

/** A pattern of diagonal stripes `colour` on `ground`, sharp at `ratio` device pixels a pixel. */
export function hatch(
  context: CanvasRenderingContext2D,
  ground: string,
  colour: string,
  ratio: number,
  size_px = 6
): CanvasPattern | string {
  const tile = document.createElement('canvas');
  const size = Math.max(4, Math.round(size_px * ratio));
  tile.width = tile.height = size;
  const pen = tile.getContext('2d');
  if (!pen) {
    return ground;
  }
  pen.fillStyle = ground;
  pen.fillRect(0, 0, size, size);
  pen.strokeStyle = colour;
  pen.lineWidth = size / 3.4;
  pen.beginPath();
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift - 1, size + 1);
    pen.lineTo(shift + size + 1, -1);
  }
  pen.stroke();
  return context.createPattern(tile, 'repeat') ?? ground;
}
