/** The page's totals are Python's: both read tests/data/total/totals.json. */
import { readFileSync } from 'fs';
import { join } from 'path';

import { totalOf } from '../total';
import { parseMeasurement } from '../wire';
import type { IMeasurement } from '../wire';

interface ICase {
  case: string;
  parts: unknown[];
  total: Record<string, unknown>;
}

const cases: ICase[] = JSON.parse(
  readFileSync(join(__dirname, '../../../tests/data/total/totals.json'), 'utf8')
);

/** The part behind the guard: one that the guard does not take fails the test. */
function part(data: unknown): IMeasurement | null {
  const parsed = parseMeasurement(data);
  expect(parsed === null).toBe(data === null);
  return parsed;
}

describe('totalOf', () => {
  it.each(cases.map(it => [it.case, it] as const))(
    'makes what model/total.py makes: %s',
    (_name, { parts, total }) => {
      const made: Record<string, unknown> = { ...totalOf(parts.map(part)) };
      expect(made.runs).toBe(parts.length);
      for (const [name, expected] of Object.entries(total)) {
        if (typeof expected === 'number') {
          expect(Math.abs((made[name] as number) - expected)).toBeLessThanOrEqual(1e-12 * Math.abs(expected));
        } else {
          expect(made[name]).toBe(expected);
        }
      }
    }
  );

  it('takes a hundred thousand cells', () => {
    const one = part(cases[0].parts[0]);
    expect(totalOf(new Array(100_000).fill(one)).total_j).toBeCloseTo(100_000 * one!.total_j!, 3);
  });
});
