/** Small pieces of page, made of text only: nothing here reads HTML. */

/** An element with a class and children; a string is text, null is nothing. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...children: (Node | string | null)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  if (className) {
    node.className = className;
  }
  node.append(...children.filter((child): child is Node | string => child !== null));
  return node;
}

/** Foreign text, whose writing direction stays its own. */
export function foreign(text: string): HTMLElement {
  return element('bdi', '', text);
}

/** A part of `most` as a width: "41.20%". */
export function width(value: number, most: number): string {
  return `${(100 * Math.min(1, Math.max(0, value / most))).toFixed(2)}%`;
}

/** As people write it, where a page can show it. */
export function subscripted(text: string): string {
  return text.replace(/CO2e/g, 'CO₂e');
}
