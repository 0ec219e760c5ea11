import schema from '../../schema/plugin.json';
import { parseJoules } from '../joules';
import { DEFAULTS, parseSettings } from '../settings';

describe('parseSettings', () => {
  it('gives the defaults where there is nothing, or nothing that can be read', () => {
    for (const composite of [undefined, null, {}, [], 'text', 7]) {
      expect(parseSettings(composite)).toEqual(DEFAULTS);
    }
  });

  it('takes what is set', () => {
    const set = {
      autoStart: false,
      rate_hz: 10,
      units: 'Wh',
      badges: false,
      heat: false,
      budget_j: 20000,
      zone: 'DEU',
      pue: 1.4,
      history_min: 5
    };
    expect(parseSettings(set)).toEqual(set);
  });

  it('keeps every number in range and ignores values of the wrong kind', () => {
    expect(parseSettings({ rate_hz: 1000 }).rate_hz).toBe(10);
    expect(parseSettings({ rate_hz: 0 }).rate_hz).toBe(1);
    expect(parseSettings({ rate_hz: '5' }).rate_hz).toBe(2);
    expect(parseSettings({ rate_hz: NaN }).rate_hz).toBe(2);
    expect(parseSettings({ history_min: 6000 }).history_min).toBe(60);
    expect(parseSettings({ budget_j: 0 }).budget_j).toBeNull();
    expect(parseSettings({ budget_j: -3 }).budget_j).toBeNull();
    expect(parseSettings({ pue: 0.5 }).pue).toBe(0);
    expect(parseSettings({ badges: 'no' }).badges).toBe(true);
    expect(parseSettings({ units: 'kWh' }).units).toBe('J');
  });

  it('has the defaults and the settings of the schema', () => {
    const properties: Record<string, { default?: unknown; title?: string; description?: string }> =
      schema.properties;
    const written = Object.fromEntries(Object.entries(properties).map(([name, of]) => [name, of.default]));
    expect(written).toEqual(DEFAULTS);
    for (const [name, of] of Object.entries(properties)) {
      expect(`${name}: ${of.title ?? ''}`).not.toBe(`${name}: `);
      expect((of.description ?? '').length).toBeGreaterThan(20);
    }
  });
});

describe('parseJoules', () => {
  it.each([
    ['500', 500],
    [' 500 J ', 500],
    ['20 kJ', 20_000],
    ['20kj', 20_000],
    ['1.5 MJ', 1_500_000],
    ['2 Wh', 7200],
    ['0,5 wh', 1800],
    ['1 kWh', 3_600_000],
    ['1e3', 1000],
    ['.5', 0.5]
  ])('%s is %d J', (text, joules) => expect(parseJoules(text)).toBeCloseTo(joules, 6));

  it.each([
    '',
    ' ',
    '0',
    '0 J',
    '-5',
    'many',
    '5 apples',
    '1 000',
    '5 W',
    'NaN',
    'Infinity',
    '1e999',
    '1,000,000',
    '1,500'
  ])('%p is no amount', text => expect(parseJoules(text)).toBeNull());
});
