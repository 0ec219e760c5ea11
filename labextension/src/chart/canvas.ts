/** A canvas as large as its place in the page, sharp on every screen. */

/** Device pixels a pixel. */
export function pixelRatio(): number {
  return window.devicePixelRatio || 1;
}

/** A canvas in `host`, and what draws on it. */
export function makeCanvas(host: HTMLElement): CanvasRenderingContext2D {
  const canvas = host.appendChild(document.createElement('canvas'));
  const context = canvas.getContext('2d');
  if (!context) {
    canvas.remove();
    throw new Error('This browser draws on no canvas.');
  }
  return context;
}

/** Make it `width` by `height` pixels, empty. */
export function resize({ canvas }: CanvasRenderingContext2D, width: number, height: number): void {
  const ratio = pixelRatio();
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
}
