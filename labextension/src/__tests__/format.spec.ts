/** The page writes numbers exactly as greennb/views/format.py does. */
import { readFileSync } from 'fs';
import { join } from 'path';

import * as format from '../format';
import type { Method } from '../wire';

interface ICase {
  format: string;
  args: unknown[];
  text: unknown;
}

const FORMATS: Record<string, (...args: never[]) => unknown> = {
  joules: format.joules,
  watts: format.watts,
  watt_hours: format.wattHours,
  grams: format.grams,
  co2e: format.co2e,
  energy: format.energy,
  interval: format.interval,
  si_step: format.siStep,
  seconds: format.seconds,
  percent: format.percent,
  plain: format.plain
};

const GOLDEN = join(__dirname, '../../../tests/data/format/format.json');
const cases: ICase[] = JSON.parse(readFileSync(GOLDEN, 'utf8'));

describe('format', () => {
  it.each(Object.keys(FORMATS))('writes what views/format.py writes: %s', name => {
    const mine = cases.filter(it => it.format === name);
    expect(mine.length).toBeGreaterThan(10);
    const written = mine.map(it => ({ ...it, text: FORMATS[name](...(it.args as never[])) }));
    expect(written).toEqual(mine);
  });

  it('knows every format of the golden file', () => {
    expect(new Set(cases.map(it => it.format))).toEqual(new Set(Object.keys(FORMATS)));
  });

  it.each(['counter', 'integrated', 'estimated', null] as (Method | null)[])(
    'never writes NaN or Infinity (%s)',
    method => {
      for (const odd of [NaN, Infinity, -Infinity]) {
        const texts = [
          format.joules(odd, method),
          format.energy(odd, odd, odd, method),
          format.energy(1, odd, 2, method),
          format.interval(odd, 1),
          format.seconds(odd),
          format.percent(odd)
        ];
        expect(texts.join()).not.toMatch(/NaN|Infinity/);
      }
    }
  );

  it('takes a text of megabytes in little time', () => {
    const began = performance.now();
    expect(format.plain('\u202e'.repeat(5_000_000), 20).length).toBeLessThanOrEqual(20);
    expect(performance.now() - began).toBeLessThan(200);
  });
});
