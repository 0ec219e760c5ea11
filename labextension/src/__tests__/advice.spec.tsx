/** What the advice tab says of findings, from messages to words in the page. */
import { act } from 'react';

import { Advice } from '../panels/advice';
import { quantity, sourceParts, stakeWords } from '../panels/findingWords';
import { NewFindings } from '../panels/newFindings';
import type { INotebookEnergy } from '../tokens';
import type { IFinding } from '../wire';
import { HOSTILE, cell, finding, host, model, notebook, show, trans, tried } from './shownPart';

const buttons = (words: string): HTMLElement[] =>
  [...host.querySelectorAll<HTMLElement>('button')].filter(button => button.textContent === words);
const press = (words: string): void => act(() => buttons(words)[0].click());
const heads = (): HTMLElement[] => [...host.querySelectorAll<HTMLElement>('.gnb-Finding h3 button')];

/** A notebook whose findings can change, as the model's do. */
function changing(findings: IFinding[], over: Record<string, unknown> = {}) {
  const energy = notebook({ findings, ...over }) as any;
  const say = (next: IFinding[]): void =>
    act(() => {
      energy.findings = next;
      energy.adviceChanged.emit();
      jest.advanceTimersByTime(3000);
    });
  return { energy: energy as INotebookEnergy, say };
}

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

describe('a finding', () => {
  it('says where, on what, what is at stake, why, and on what it stands', () => {
    const text = show(Advice, notebook({ findings: [finding({ cells: 3 })] }));
    expect(text).toContain('[3] and 2 more cells');
    expect(text).toContain('evaluates with gradients on model');
    expect(text).toContain('At stake ~34 J · 12 s ran through this');
    expect(text).toContain('Use inference mode.');
    expect(text).toContain('forwards312');
    expect(text).toContain('GNB205 · the guide, example.org.');
  });

  it('is called by the count that its cell has now', () => {
    const cells = [cell('c1', 0, { execution_count: 9 })];
    expect(show(Advice, notebook({ findings: [finding()], cells }))).toContain('[9]');
  });

  it('leads to its cell, or says that it is gone', () => {
    const energy = notebook({ findings: [finding()] });
    show(Advice, energy);
    press('[3]');
    expect(energy.jumps).toEqual(['c1']);
    expect(host.textContent).not.toContain('gone');
    show(Advice, notebook({ findings: [finding()], jumpTo: () => false }));
    press('[3]');
    expect(host.textContent).toContain('This cell is gone.');
  });

  it('claims no saving without a trial, and one with it', () => {
    const untried = show(Advice, notebook({ findings: [finding()] }));
    expect(untried).not.toMatch(/sav/i);
    const trial = tried({ ratio: 0.62, interval: [0.59, 0.66] });
    expect(show(Advice, notebook({ findings: [{ ...finding(), trial }] }))).toContain(
      'Saves 38 % here · 95 %: 34 % to 41 %'
    );
  });

  it('says what "at stake" means, in a tooltip and when it is pressed', () => {
    show(Advice, notebook({ findings: [finding()] }));
    expect(buttons('At stake')[0].title).toContain('the most that changing it could save');
    press('At stake');
    expect(host.textContent).toContain('Only a measured trial shows a saving.');
  });

  it('inserts code below its cell, never runs it', () => {
    const inserted: unknown[] = [];
    const energy = notebook({
      findings: [finding({ code_change: HOSTILE })],
      insertCode: (...given: unknown[]) => inserted.push(given)
    });
    show(Advice, energy);
    press('Insert');
    expect(inserted).toEqual([[HOSTILE, 'c1']]);
    press('Show code');
    expect(host.querySelector('pre')?.textContent).toBe(HOSTILE);
  });

  it('without code has nothing to insert', () => {
    show(Advice, notebook({ findings: [finding({ code_change: '' })] }));
    expect([...buttons('Insert'), ...buttons('Show code')]).toEqual([]);
  });

  it('folds away where it would be wrong', () => {
    show(Advice, notebook({ findings: [finding()] }));
    expect(host.textContent).not.toContain('an input needs gradients');
    press('When not');
    expect(host.querySelector('[aria-label="Not where"] li')?.textContent).toBe('an input needs gradients');
    show(Advice, notebook({ findings: [finding({ wrong_when: [] })] }));
    expect(buttons('When not')).toEqual([]);
  });

  it('of an older kernel shows what it has', () => {
    const older = finding({
      ...{ key: '', subject: '', wrong_when: [], execution_count: null, cells: 1 },
      ...{ at_stake_j: null, at_stake_s: null, method: null }
    });
    const text = show(Advice, notebook({ findings: [older, { ...older, cell_id: 'c2' }] }));
    expect(text).toContain('Cell');
    expect(text).not.toContain('At stake');
    expect(heads()).toHaveLength(2);
  });

  it('shows hostile text as text, whichever field it is in', () => {
    const evil = finding({
      ...{
        name: HOSTILE,
        subject: HOSTILE,
        suggestion: HOSTILE,
        code_change: HOSTILE,
        wrong_when: [HOSTILE]
      },
      ...{
        source: `${HOSTILE} javascript:alert(1) https://user:pw@example.org`,
        key: HOSTILE,
        code: HOSTILE
      },
      evidence: [{ name: HOSTILE, value: 1, unit: HOSTILE }]
    });
    show(
      Advice,
      notebook({ findings: [evil, evil], setAside: [{ name: HOSTILE, always: true, finding: evil }] })
    );
    buttons('When not').forEach(button => act(() => button.click()));
    press('1 dismissed · Show');
    expect(host.querySelector('img, a')).toBeNull();
    expect(host.textContent).toContain('<img src=x');
    expect(host.textContent).not.toContain('\u202e');
    expect((window as unknown as { stolen?: number }).stolen).toBeUndefined();
  });
});

describe('the list', () => {
  const one = finding({ subject: 'one' });
  const two = finding({ subject: 'two', severity: 'note' });
  const three = finding({ subject: 'three', severity: 'note' });

  it('is in the order in which findings were sent; the first and what is to be done are open', () => {
    show(Advice, notebook({ findings: [two, one, three] }));
    expect(heads().map(it => it.querySelector('.gnb-Subject')?.textContent)).toEqual(['two', 'one', 'three']);
    expect(heads().map(it => it.getAttribute('aria-expanded'))).toEqual(['true', 'true', 'false']);
  });

  it('keeps what is open and who has the focus when findings are sent again in another order', () => {
    const { energy, say } = changing([one, two, three]);
    show(Advice, energy);
    act(() => heads()[0].click());
    act(() => heads()[1].click());
    heads()[1].focus();
    const before = heads()[1];
    say([finding({ subject: 'new', severity: 'note' }), { ...two, cell_id: 'b' }, three, { ...one }]);
    expect(heads().map(it => it.getAttribute('aria-expanded'))).toEqual(['true', 'true', 'false', 'false']);
    expect(heads()[1]).toBe(before);
    expect(document.activeElement).toBe(before);
  });

  it('gives the focus to the next card when one is dismissed', () => {
    const { energy, say } = changing([one, finding({ subject: 'next' })], {
      dismiss: (gone: IFinding) => say(energy.findings.filter(it => it !== gone))
    });
    show(Advice, energy);
    buttons('Dismiss')[0].focus();
    press('Dismiss');
    expect(document.activeElement).toBe(heads()[0]);
    expect(heads()[0].textContent).toContain('next');
  });

  it('says how many are dismissed, and brings them back', () => {
    const restored: string[] = [];
    const setAside = [
      { name: 'GNB219', always: true, finding: null },
      { name: one.key, always: false, finding: one }
    ];
    const restore = ({ name }: { name: string }) => restored.push(name);
    const text = show(Advice, notebook({ setAside, restore, remembers: true }));
    expect(text).toContain('2 dismissed · Show');
    expect(text).toContain('Nothing else was found.');
    press('2 dismissed · Show');
    expect(host.textContent).toContain('GNB205 evaluates with gradients on one');
    expect(host.textContent).not.toContain('read-only');
    press('Allow again');
    press('Bring back');
    expect(restored).toEqual(['GNB219', 'GNB205 one']);
  });

  it('says of a read-only notebook that it forgets', () => {
    show(Advice, notebook({ setAside: [{ name: 'GNB219', always: true, finding: null }], remembers: false }));
    press('1 dismissed · Show');
    expect(host.textContent).toContain('This notebook is read-only');
  });

  it('says why it is empty', () => {
    expect(show(Advice, notebook())).toContain('No cell has been measured yet');
    const cells = [cell('c1', 0)];
    const on = { settings: { advice: true }, cells };
    expect(show(Advice, notebook(on))).toContain('It does not mean that nothing can be saved.');
    const off = { settings: { advice: false }, cells };
    expect(show(Advice, notebook(off))).toContain('The advisor is off in this kernel');
    expect(host.querySelector('pre')?.textContent).toBe('%energy_config advice=on');
    expect(show(Advice, notebook({ settings: {}, cells }))).toContain('Nothing to say');
  });
});

describe('what is new', () => {
  const said = (): string => host.querySelector('[role=status]')?.textContent ?? '';

  it('is said once, all of a change together, and not again when it is sent again or brought back', () => {
    const { energy, say } = changing([]);
    show(NewFindings, energy);
    expect(said()).toBe('');
    say([finding({ subject: 'a' }), finding({ subject: 'b' })]);
    expect(said()).toBe('2 new pieces of advice. The most at stake: evaluates with gradients on, a.');
    say([finding({ subject: 'c' }), finding({ subject: 'a' }), finding({ subject: 'b' })]);
    expect(said()).toBe('New advice: evaluates with gradients on, c.');
    say([finding({ subject: 'b' })]);
    say([finding({ subject: 'a' }), finding({ subject: 'b' })]);
    expect(said()).toBe('New advice: evaluates with gradients on, c.');
  });
});

describe('words', () => {
  it.each([
    [{}, '~34 J · 12 s ran through this'],
    [{ at_stake_j: 1234, at_stake_s: 0.4, method: 'counter' as const }, '1.23 kJ · 0.4 s ran through this'],
    [{ at_stake_j: null }, '12 s ran through this, joules not measured'],
    [{ at_stake_s: null }, '~34 J ran through this'],
    [{ at_stake_j: 0 }, '~0 J · 12 s ran through this'],
    [{ at_stake_j: null, at_stake_s: null }, undefined]
  ])('say what ran through it: %j', (over, expected) => {
    expect(stakeWords(finding(over), 'J', trans)?.join(' ')).toBe(expected);
  });

  it('are in the user’s unit', () => {
    expect(stakeWords(finding({ at_stake_j: 7200, method: 'counter' }), 'Wh', trans)?.[0]).toBe('2.00 Wh');
    const settings = { units: 'Wh' };
    const energy = notebook({ findings: [finding({ at_stake_j: 7200 })] });
    expect(show(Advice, energy, { model: model(energy, { settings }) })).toContain('~2.0 Wh');
  });

  it.each([
    [null, 's', '–'],
    [2.346, 's', '2.35 s'],
    [12, 'ms', '12.0 ms'],
    [62, '%', '62 %'],
    [2800, 'J', '2.80 kJ'],
    [40, 'W', '40.0 W'],
    [3 * 2 ** 30, 'B', '3 GiB'],
    [512, 'B', '512 B'],
    [3000, 'rows', '3,000 rows'],
    [0.6213, '1', '0.6213'],
    [312, '1', '312'],
    [1e300, '1', '1e+300'],
    [1, 'calls', '1 call']
  ])('write %j %s as %s', (value, unit, expected) => {
    expect(quantity(value, unit)).toBe(expected);
  });

  it('say once what is counted', () => {
    expect([quantity(240, 'calls', 'calls of net'), quantity(240, 'calls', 'recalls')]).toEqual([
      '240',
      '240 calls'
    ]);
  });

  it.each([
    ['the guide', []],
    [
      'see https://scikit-learn.org/stable/modules/svm.html.',
      ['https://scikit-learn.org/stable/modules/svm.html']
    ],
    ['(http://www.a.org/x), https://b.org;', ['http://www.a.org/x', 'https://b.org']],
    ['javascript:alert(1) data:text/html,x //evil.org ftp://a.org file:///etc', []],
    ['https://docs.org@evil.org/ https://a:b@c.org', []],
    ['https://', []],
    ['https://[', []],
    [`https://a.org/${'x'.repeat(5000)}`, []]
  ])('find links in a source: %s', (source, expected) => {
    expect(sourceParts(source).flatMap(({ url }) => url ?? [])).toEqual(expected);
  });

  it('call a link by where it leads', () => {
    show(Advice, notebook({ findings: [finding({ source: 'Guide https://www.example.org/a/b' })] }));
    const link = host.querySelector('a')!;
    expect([link.textContent, link.href, link.target, link.rel]).toEqual([
      'example.org',
      'https://www.example.org/a/b',
      '_blank',
      'noopener noreferrer'
    ]);
  });
});
