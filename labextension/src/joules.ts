/** An amount of energy as people type it. */

const JOULES: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['j', 1],
  ['kj', 1e3],
  ['mj', 1e6], // nobody sets a budget of millijoules
  ['gj', 1e9],
  ['wh', 3600],
  ['kwh', 3.6e6],
  ['mwh', 3.6e9]
]);

const AMOUNT = /^(\d+(?:[.,]\d+)?|[.,]\d+)(?:e\+?(\d{1,2}))?\s*([kmg]?j|[km]?wh)?$/i;

/**
 * Joules from "500", "20 kJ", "1.5 Wh" or "1,5 wh"; null where it is no amount above 0. M is mega, whatever its case.
 * "1,500" is refused: a thousand and a half to some, one and a half to others.
 */
export function parseJoules(text: string): number | null {
  const found = AMOUNT.exec(text.trim());
  if (!found || /^[1-9]\d{0,2},\d{3}$/.test(found[1])) {
    return null;
  }
  const number = Number(found[1].replace(',', '.')) * 10 ** Number(found[2] ?? 0);
  const joules = number * (JOULES.get((found[3] ?? '').toLowerCase()) ?? NaN);
  return Number.isFinite(joules) && joules > 0 ? joules : null;
}
