/** What a trial showed, put into its cell and taken back, and what the cell costs with it. */
import { Advice } from '../panels/advice';
import type { IOpen } from './openTrials';
import { CHANGE, FINDING, KEY, buttons, measured, open, press, said, signs } from './openTrials';
import { finding, host, notebook, show, tried } from './shownPart';

describe('what a trial showed', () => {
  it('is shown first, then put into its cell in one step, and nothing is run', async () => {
    const { cell, codes } = await open([FINDING]);
    await press('Apply');
    expect([signs().includes('+'), cell.getSource()]).toEqual([true, CHANGE.before]);
    await press('Put it into the cell');
    expect([cell.getSource(), cell.steps, codes()]).toEqual([CHANGE.after, 1, []]);
    expect(said()).toContain('Applied. Run the cell to see what it costs now.');
  });

  it('is taken back exactly', async () => {
    const { cell } = await open([FINDING]);
    await press('Apply');
    await press('Put it into the cell');
    await press('Undo');
    expect([cell.getSource(), cell.steps]).toEqual([CHANGE.before, 2]);
    await press('Apply');
    await press('Put it into the cell');
    expect(cell.getSource()).toBe(CHANGE.after);
  });

  it('is not taken back from a cell that was edited since', async () => {
    const { cell } = await open([FINDING]);
    await press('Apply');
    await press('Put it into the cell');
    cell.setSource(`${CHANGE.after}\nprint(1)`);
    await press('Undo');
    expect(cell.getSource()).toBe(`${CHANGE.after}\nprint(1)`);
    expect(said()).toContain('The cell has been edited since: take the change out there.');
  });

  it.each<[string, (it: IOpen) => unknown, string]>([
    [
      'that reads otherwise',
      ({ cell }) => cell.setSource(`${CHANGE.before} `),
      'The cell reads otherwise than when it was tried'
    ],
    ['that is gone', ({ panel }) => panel.model.reorder(['8f0e-1']), 'The cell is gone'],
    ['of a read-only notebook', ({ panel }) => (panel.model.readOnly = true), 'The cell can’t be edited'],
    ['that is locked', ({ cell }) => (cell.metadata.editable = false), 'The cell can’t be edited']
  ])('is not put into a cell %s', async (_, meanwhile, words) => {
    const it = await open([FINDING]);
    await press('Apply');
    meanwhile(it);
    const before = it.cell.getSource();
    await press('Put it into the cell');
    expect(said()).toContain(`${words}: nothing was changed.`);
    expect([it.cell.getSource(), it.energy.trials.applied(KEY)]).toEqual([before, null]);
  });

  it.each([
    ['costs more', { verdict: 'costs more' as const }],
    ['shows no difference', { verdict: 'no difference shown' as const }],
    ['can’t tell', { verdict: 'cannot tell' as const }],
    ['loses quality', { quality_good: false }],
    ['has no change', { change: null }]
  ])('is not to be applied where it %s', (_, over) => {
    const trial = tried({ change: CHANGE, ...over });
    show(Advice, notebook({ findings: [finding({ trial })] }));
    expect(buttons('Apply')).toEqual([]);
  });

  it.each([
    [12, 'This run: 12.0 J (10.0–14.0 J); the one before: 18.0 J (16.0–20.0 J). −33 %, of two single runs.'],
    [
      15,
      '−17 %; of two single runs, by their intervals, they can’t be told apart.' // 13–17 and 16–20
    ],
    [24, '+33 %, of two single runs.'],
    [null, 'One of the two runs was not measured.']
  ])('is weighed by the cell’s next run: %j J after 18 J', async (now, words) => {
    const { say } = await open([FINDING]);
    await say(measured(18, 100));
    await press('Apply');
    await press('Put it into the cell');
    expect(said()).toContain('Run the cell to see');
    await say(measured(now ?? 1, 200, now === null ? { total_j: null, low_j: null, high_j: null } : {}));
    expect(said()).toContain(words);
  });

  it('stays in sight when its finding is gone, until it is dismissed', async () => {
    const { say, cell } = await open([FINDING]);
    await press('Apply');
    await press('Put it into the cell');
    await say({ v: 1, type: 'findings', findings: [] });
    expect(host.querySelector('.gnb-Card h3')?.textContent).toBe(FINDING.name);
    expect(said()).toContain('Applied.');
    await press('Dismiss');
    expect([said(), cell.getSource()]).toEqual(['', CHANGE.after]);
  });
});
