/** What Python says is understood; what nobody should say is nothing, and never an exception. */
import { readFileSync, readdirSync } from 'fs';
import { join } from 'path';

import { GUARDS, parseAnswer, parseMeasurement, parseStream, versionOf } from '../wire';
import type { IFindings, IHello, ISamples, ISettingsMessage } from '../wire';
import { seeded } from './seeded';

const FOLDER = join(__dirname, '../../../tests/data/messages');
const WIRE = join(__dirname, '../../../tests/data/wire');
const files = readdirSync(FOLDER).filter(name => name.endsWith('.json') && !name.startsWith('ask-'));

function golden(name: string, folder = FOLDER): any {
  return JSON.parse(readFileSync(join(folder, name), 'utf8'));
}

const parse = (data: any) => ('re' in data ? parseAnswer(data) : parseStream(data));

/** `parsed` without what the guards add for fields that are not there: null, an empty text or no. */
function expectWithin(parsed: any, said: any): void {
  if (said === undefined) {
    expect([null, '', false]).toContain(parsed);
    return;
  }
  if (typeof parsed !== 'object' || parsed === null) {
    expect(said ?? null).toEqual(parsed);
    return;
  }
  if (Array.isArray(parsed)) {
    expect(said).toHaveLength(parsed.length);
  }
  for (const key of Object.keys(parsed)) {
    expectWithin(parsed[key], said[key]);
  }
}

describe('golden messages', () => {
  it.each(files)('%s is understood, with the values that it has', name => {
    const said = golden(name);
    const parsed = parse(said);
    expect(parsed).not.toBeNull();
    expectWithin(parsed, said);
  });

  it('has a guard for each type, and a file for each guard', () => {
    expect(new Set(files.map(name => golden(name).type))).toEqual(new Set(Object.keys(GUARDS)));
  });

  it('has a guard for each type that messages.py names', () => {
    const source = readFileSync(join(FOLDER, '../../../greennb/model/messages.py'), 'utf8');
    const named = [...source.matchAll(/^(?:STREAM|ANSWER)_TYPES = frozenset\(\{(.*)\}\)/gm)].flatMap(match =>
      [...match[1].matchAll(/"(\w+)"/g)].map(it => it[1])
    );
    expect(new Set(named)).toEqual(new Set(Object.keys(GUARDS)));
  });

  it.each(readdirSync(WIRE).filter(name => name.endsWith('.json')))('measurement %s is understood', name => {
    expectWithin(parseMeasurement(golden(name, WIRE)), golden(name, WIRE));
  });
});

describe('findings', () => {
  const NEW = [
    'wrong_when',
    'key',
    'subject',
    'execution_count',
    'cells',
    'at_stake_s',
    'at_stake_j',
    'method'
  ];
  const first = (said: any) => (parseStream(said) as IFindings).findings[0];

  it('of a kernel of today have what is at stake, and where they would be wrong', () => {
    expect(first(golden('findings.json'))).toMatchObject({
      key: 'GNB201 loader',
      subject: 'loader',
      execution_count: 4,
      cells: 3,
      at_stake_s: 12.5,
      at_stake_j: 412,
      method: 'estimated',
      wrong_when: ['the data set is small', 'memory is scarce']
    });
  });

  it('of an older kernel have the same fields, and nothing in them', () => {
    const said = golden('findings.json');
    said.findings.forEach((finding: any) => NEW.forEach(name => delete finding[name]));
    expect(first(said)).toMatchObject({
      ...{ code: 'GNB201', key: '', subject: '', execution_count: null, cells: 1 },
      ...{ at_stake_s: null, at_stake_j: null, method: null, wrong_when: [] }
    });
  });

  it('with fields that nobody should send lose those fields, and stay', () => {
    const said = golden('findings.json');
    Object.assign(said.findings[0], {
      ...{ wrong_when: [7, 'true', {}], key: 7, subject: null, execution_count: 'x', cells: -3 },
      ...{ at_stake_s: -1, at_stake_j: NaN, method: 'guess' }
    });
    expect(first(said)).toMatchObject({
      ...{ wrong_when: ['true'], key: '', subject: '', execution_count: null, cells: 1 },
      ...{ at_stake_s: null, at_stake_j: null, method: null }
    });
    Object.assign(said.findings[0], {
      wrong_when: new Array(1e6).fill('x'),
      cells: 2.5,
      key: 'k'.repeat(1e6)
    });
    expect(first(said)).toMatchObject({
      wrong_when: new Array(20).fill('x'),
      cells: 1,
      key: 'k'.repeat(200)
    });
  });

  it('come from an advisor that is on, off, or not spoken of', () => {
    const advice = (value: unknown) =>
      (parseStream({ ...golden('settings.json'), advice: value }) as ISettingsMessage).advice;
    expect([true, false, undefined, 'yes'].map(advice)).toEqual([true, false, undefined, undefined]);
  });
});

describe('bad input', () => {
  it.each([
    null,
    undefined,
    1,
    'hello',
    [],
    {},
    { v: 1 },
    { v: 1, type: 7 },
    { v: 1, type: '__proto__' },
    NaN
  ])('%p is nothing', data => {
    expect(parseStream(data)).toBeNull();
    expect(parseAnswer(data)).toBeNull();
    expect(parseMeasurement(data)).toBeNull();
  });

  it('leaves out a newer version, and says which', () => {
    const said = { ...golden('samples.json'), v: 2 };
    expect(parseStream(said)).toBeNull();
    expect(versionOf(said)).toBe(2);
    expect(parseMeasurement({ ...golden('counter.json', WIRE), schema: 2 })).toBeNull();
  });

  it('leaves out an answer on the stream and a message of the stream among the answers', () => {
    expect(parseStream(golden('watching.json'))).toBeNull();
    expect(parseAnswer({ ...golden('began.json'), re: 'q' })).toBeNull();
  });

  it('never takes text, NaN or infinity for a number of watts', () => {
    const said = golden('samples.json');
    said.w[0] = ['350', NaN, Infinity];
    said.w[1] = 'many';
    const { w } = parseStream(said) as ISamples;
    expect(w[0]).toEqual([null, null, null]);
    expect(w[1]).toEqual([null, null, null]);
    expect(w[2]).toEqual([30, 31, 31.5]);
  });

  it('keeps 0 W and 10 kW', () => {
    const said = { ...golden('samples.json'), t_s: [1, 2], w: [[0, 10_000]] };
    expect((parseStream(said) as ISamples).w).toEqual([[0, 10_000]]);
  });

  it('takes no measurement whose joules are no number', () => {
    const said = golden('counter.json', WIRE);
    said.domains[0].gross_j = '592';
    expect(parseMeasurement(said)).toBeNull();
  });

  it('trims a million domains and texts of megabytes', () => {
    const said = golden('hello.json');
    said.domains = new Array(1_000_000).fill({ ...said.domains[0], label: 'x'.repeat(3_000_000) });
    const { domains } = parseStream(said) as IHello;
    expect(domains.length).toBeLessThanOrEqual(256);
    expect(domains[0].label.length).toBeLessThanOrEqual(2000);
  });

  it('ends domains that lie inside one another for ever', () => {
    const said = golden('counter.json', WIRE);
    const loop: any = { kind: 'gpu', host: 'h', device: 'd', label: 'l' };
    loop.inside = loop;
    said.domains[0].inside = loop;
    expect(JSON.stringify(parseMeasurement(said)).length).toBeLessThan(20_000);
  });

  it('never throws, whatever is put where', () => {
    const random = seeded(4);
    const odd: unknown[] = [
      null,
      undefined,
      NaN,
      Infinity,
      -1,
      1e308,
      '',
      'x',
      '\u202e',
      [],
      {},
      [[]],
      true,
      Symbol('s')
    ];
    const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)];
    let understood = 0;
    for (let round = 0; round < 4000; round++) {
      const said = golden(pick(files));
      let at: any = said;
      for (let depth = 0; depth < 6; depth++) {
        const key = pick(Object.keys(at));
        if (key === undefined) {
          break;
        }
        if (typeof at[key] !== 'object' || at[key] === null || random() < 0.3) {
          at[key] = pick(odd);
          break;
        }
        at = at[key];
      }
      const parsed = parse(said);
      understood += parsed === null ? 0 : 1;
      if (parsed !== null) {
        expect(JSON.stringify(parsed)).not.toContain('undefined');
        expectNumbers(parsed);
      }
    }
    expect(understood).toBeGreaterThan(500);
  });
});

/** No number of a message is NaN or infinite. */
function expectNumbers(value: unknown): void {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new Error(`${value} came through`);
  }
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(expectNumbers);
  }
}
