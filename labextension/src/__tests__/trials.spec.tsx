/** Trials in a page: what would be run, how far it is, and how it ends. */
import { act } from 'react';

import { Advice } from '../panels/advice';
import { FakeKernel, HELLO } from './fakeKernel';
import type { IOpen } from './openTrials';
import { CELL, CHANGE, FINDING, KEY, PLAN, TRIED, UNTRIED } from './openTrials';
import { buttons, golden, measured, open, pass, press, said, signs } from './openTrials';
import { HOSTILE, finding, host, notebook, show } from './shownPart';

const OTHER = { ...UNTRIED, key: 'GNB210 net', subject: 'net' };

/** A notebook in which a trial was asked for and runs. */
async function running(): Promise<IOpen> {
  const it = await open();
  await press('Try it');
  await press('Run the trial');
  return it;
}

describe('a trial is offered', () => {
  it('only of what can be tried', async () => {
    await open([{ ...UNTRIED, can_try: false }]);
    expect(buttons('Try it')).toEqual([]);
  });

  it('only where the kernel can be asked', () => {
    const state = (kind: string) => ({ kind, sentence: '', command: '', step: null, stepLabel: '' });
    const offers = (kind: string): number => {
      show(Advice, notebook({ state: state(kind), findings: [finding({ can_try: true })] }));
      return buttons('Try it').length;
    };
    expect(['live', 'busy', 'dead', 'disconnected', 'not-loaded', 'no-kernel'].map(offers)).toEqual([
      ...[1, 1, 0, 0, 0, 0]
    ]);
  });

  it('again where there was one', async () => {
    await open([FINDING]);
    expect([buttons('Try it').length, buttons('Try it again').length]).toEqual([0, 1]);
  });
});

describe('a plan', () => {
  it('is asked for by the finding’s key, and says what would be run before anything is', async () => {
    const { kernel, codes } = await open();
    await press('Try it');
    expect(kernel.asked.filter(({ ask }) => ask === 'plan')).toMatchObject([{ v: 1, key: KEY }]);
    PLAN.words.forEach((words: string) => expect(said()).toContain(words));
    expect(signs()).toEqual(['+', ' ', ' ', '-', '+', ' ']);
    expect(codes()).toEqual([]);
  });

  it('that is refused says why, and can be put away', async () => {
    const { kernel } = await open();
    kernel.answers.plan = () => ({ v: 1, type: 'refused', reason: 'The cell writes files.' });
    await press('Try it');
    expect(said()).toContain('It can’t be tried. The cell writes files.');
    await press('Close');
    expect([said(), buttons('Try it').length]).toEqual(['', 1]);
  });

  it('that does not come says so', async () => {
    const { kernel } = await open();
    kernel.answers.plan = () => undefined;
    await press('Try it');
    expect(host.textContent).toContain('Asking what would be run…');
    await pass(20_000);
    expect(said()).toContain('The kernel does not answer: try it when it is free.');
  });

  it('is of the variant that is chosen', async () => {
    const { kernel } = await open();
    await press('Try it');
    const pressed = (): (string | null)[] =>
      PLAN.variants.map((name: string) => buttons(name)[0].getAttribute('aria-pressed'));
    expect(pressed()).toEqual(['true', 'false']);
    await press('channels_last and bf16');
    expect(kernel.asked.pop()).toMatchObject({ ask: 'plan', key: KEY, variant: 'channels_last and bf16' });
    expect(pressed()).toEqual(['false', 'true']);
  });

  it('of one variant leaves nothing to choose', async () => {
    const { kernel } = await open();
    kernel.answers.plan = () => ({ ...PLAN, variants: [PLAN.variant] });
    await press('Try it');
    expect(host.querySelector('[aria-label="What is tried"]')).toBeNull();
  });

  it('is put away by Cancel, and nothing was run', async () => {
    const { codes } = await open();
    await press('Try it');
    await press('Cancel');
    expect([buttons('Run the trial').length, buttons('Try it').length, codes()]).toEqual([0, 1, []]);
  });

  it('waits while a cell runs', async () => {
    const { say } = await open();
    await press('Try it');
    await say({ ...{ v: 1, type: 'began', window: 'w', cell_id: CELL }, t_s: 100, label: '', count: 3 });
    expect(buttons('Run the trial')[0].disabled).toBe(true);
    expect(said()).toContain('A cell runs: the trial can begin once it has ended.');
    await say(measured(10, 100, { id: 'w' }));
    expect(buttons('Run the trial')[0].disabled).toBe(false);
  });

  it('waits while another trial runs', async () => {
    const { say } = await open([UNTRIED, OTHER]);
    await press('Try it');
    await say({ ...golden('trial-running'), key: OTHER.key });
    expect(buttons('Run the trial')[0].disabled).toBe(true);
    expect(said()).toContain('Another trial runs.');
  });
});

describe('a trial that runs', () => {
  it('is the plan’s own line, executed silently', async () => {
    const { kernel } = await running();
    expect(kernel.executed.filter(({ code }) => code.startsWith('%'))).toEqual([
      { code: PLAN.run, silent: true, store_history: false, stop_on_error: false, allow_stdin: false }
    ]);
    expect(said()).toContain('Beginning');
  });

  it('says how far it is', async () => {
    const { say } = await running();
    await say(golden('trial-begun'));
    expect(said()).toContain('Copying what the cell uses · 0 s of at most 30.0 s');
    expect(said()).not.toContain('So far');
    await say(golden('trial-running'));
    expect(said()).toContain('Measuring by turns · 4.20 s of at most 30.0 s · ~81 J · 3 rounds');
    expect(said()).toContain('So far: −19 % joules (−30 % … −7 %)');
    expect(host.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow')).toBe('14');
  });

  it('is gone from the card when it is done, and its verdict is there', async () => {
    const { say, end, energy } = await running();
    await say(golden('trial-running'));
    await say(golden('trial-done'));
    await say(TRIED);
    await end({ status: 'ok' });
    expect([energy.trials.stage(KEY).kind, energy.trials.runningKey]).toEqual(['none', null]);
    expect(host.textContent).toContain('Saves 33 % here · 95 %: 27 % to 38 %');
    expect(host.textContent).toContain('The trial took 11.5 s and ~400 J.');
  });

  it.each([
    ['refused', 'It can’t be tried. The cell writes files: try it on a cell that does not.'],
    ['stopped', 'Stopped. Stopped: nothing of the notebook was changed.'],
    ['void', 'Void. The trial is void: it has changed the weights of model.']
  ])('that ends %s says why, until that is put away', async (state, words) => {
    const { say, end } = await running();
    await say(golden(`trial-${state}`));
    await end({ status: 'error', ename: 'TrialError', evalue: 'told twice' });
    expect(said()).toContain(words);
    expect(said()).not.toContain('told twice');
    expect(host.querySelector('.gnb-Try .gnb-mod-error') !== null).toBe(state === 'void');
    await press('Close');
    expect(buttons('Try it')).toHaveLength(1);
  });

  it('whose kernel fails without a word on the stream has failed, by the words of the error', async () => {
    const { end } = await running();
    await end({ status: 'error', ename: 'MemoryError', evalue: 'There is no memory left.' });
    expect(said()).toContain('It did not end. There is no memory left.');
  });

  it('whose kernel says nothing at all is over when its code is', async () => {
    const { end, energy } = await running();
    await end({ status: 'ok' });
    expect(energy.trials.stage(KEY)).toEqual({ kind: 'none' });
  });

  it('in another page is shown here, and can be stopped from here', async () => {
    const { kernel, say, codes } = await open();
    kernel.answers.stop = () => golden('stopping');
    await say(golden('trial-running'));
    expect(said()).toContain('Measuring by turns');
    await press('Stop');
    expect([kernel.asked.pop().ask, codes()]).toEqual(['stop', []]);
    await say(golden('trial-done'));
    expect(said()).toBe('');
  });

  it('in another page is still shown when a plan that was asked for before does not come', async () => {
    const { kernel, energy, say } = await open();
    kernel.answers.plan = () => undefined;
    await press('Try it');
    await say(golden('trial-running'));
    await pass(20_000);
    expect(energy.trials.runningKey).toBe(KEY);
  });

  it('whose future is given up has failed, with its kernel', async () => {
    const { kernel, energy } = await open();
    const gone = new Error('Canceled future for execute_request message before replies were done');
    kernel.executes = () => Promise.reject(gone);
    await press('Try it');
    await press('Run the trial');
    const words = 'The kernel ended before the trial did.';
    expect(energy.trials.stage(KEY)).toEqual({ kind: 'ended', state: 'failed', words });
  });

  it('keeps a second one from being begun', async () => {
    const { energy, codes } = await running();
    await energy.trials.run({ ...PLAN, key: OTHER.key });
    expect(codes()).toEqual([PLAN.run]);
  });

  it('is over with its kernel', async () => {
    const { panel, energy, say } = await running();
    await say(golden('trial-running'));
    const other = new FakeKernel();
    other.answers.hello = () => ({ ...HELLO, session: 's2' });
    panel.session.use(other);
    await pass(1000);
    expect(energy.trials.runningKey).toBeNull();
    expect(energy.trials.stage(KEY)).toMatchObject({
      state: 'failed',
      words: 'The kernel ended before the trial did.'
    });
  });

  it.each<[string, (it: IOpen) => unknown]>([
    ['dies', ({ kernel }) => kernel.set('dead')],
    ['restarts', ({ kernel }) => kernel.set('restarting')],
    ['is shut down', ({ panel }) => panel.session.shutdown()]
  ])('in another page is over when the kernel %s', async (_, ends) => {
    const it = await open();
    await it.say(golden('trial-running'));
    act(() => void ends(it));
    await pass(100);
    const words = 'The kernel ended before the trial did.';
    expect(it.energy.trials.stage(KEY)).toEqual({ kind: 'ended', state: 'failed', words });
  });

  it('goes on while the page’s connection is made anew', async () => {
    const { panel, energy, say } = await running();
    await say(golden('trial-running'));
    panel.session.connection('connecting');
    panel.session.connection('connected');
    await pass(1000);
    expect([energy.state.kind, energy.trials.runningKey]).toEqual(['live', KEY]);
  });
});

describe('a trial that is to stop', () => {
  it('is asked to, and not interrupted where the kernel has heard', async () => {
    const { kernel, say } = await running();
    kernel.answers.stop = () => golden('stopping');
    await say(golden('trial-running'));
    await press('Stop');
    expect(buttons('Stopping…')[0].disabled).toBe(true);
    await pass(5000);
    expect([kernel.asked.pop().ask, kernel.interrupts]).toEqual(['stop', 0]);
  });

  it('is interrupted after a second in which the kernel has not answered', async () => {
    const { kernel, say } = await running();
    await say(golden('trial-running'));
    await press('Stop');
    await pass(900);
    expect(kernel.interrupts).toBe(0);
    await pass(200);
    expect(kernel.interrupts).toBe(1);
  });

  it('is not interrupted while it waits for a cell, which would be instead', async () => {
    const { kernel } = await running();
    await press('Stop');
    await pass(5000);
    expect([kernel.asked.pop().ask, kernel.interrupts]).toEqual(['stop', 0]);
  });

  it('is taken back where it waits for a cell, by its key, and is over in the page at once', async () => {
    const { kernel, energy } = await running();
    kernel.answers.stop = () => golden('stopping-none');
    await press('Stop');
    await pass(100);
    expect(kernel.asked.pop()).toMatchObject({ ask: 'stop', key: KEY });
    const words = 'It had not begun, and will not.';
    expect(energy.trials.stage(KEY)).toEqual({ kind: 'ended', state: 'stopped', words });
    await pass(5000);
    expect(kernel.interrupts).toBe(0);
  });

  it('is not over where it begins just then', async () => {
    const { kernel, energy, say } = await running();
    kernel.answers.stop = () => golden('stopping');
    await press('Stop');
    await pass(100);
    expect(energy.trials.runningKey).toBe(KEY);
    await say(golden('trial-running'));
    await say(golden('trial-stopped'));
    expect(energy.trials.stage(KEY)).toMatchObject({ kind: 'ended', state: 'stopped' });
    expect(kernel.interrupts).toBe(0);
  });

  it('is interrupted as soon as it begins, where the kernel has not heard before', async () => {
    const { kernel, say } = await running();
    await press('Stop');
    await pass(1100);
    expect(kernel.interrupts).toBe(0);
    await say(golden('trial-running'));
    await say(golden('trial-running'));
    expect(kernel.interrupts).toBe(1);
  });

  it('is not interrupted where it has ended by itself', async () => {
    const { kernel, energy, say } = await running();
    await say(golden('trial-running'));
    void energy.trials.stop();
    await pass(500);
    act(() => kernel.stream.say(golden('trial-done')));
    await pass(5000);
    expect(kernel.interrupts).toBe(0);
  });

  it('is none where no trial runs: nothing is asked', async () => {
    const { kernel, energy } = await open();
    const before = kernel.asked.length;
    await energy.trials.stop();
    expect([kernel.asked.length, kernel.interrupts]).toEqual([before, 0]);
  });
});

describe('hostile text', () => {
  const EVIL = { ...UNTRIED, key: 'GNB210 evil', subject: HOSTILE };

  function expectText(): void {
    expect(host.querySelector('img, script, a')).toBeNull();
    expect(host.textContent).toContain('<img src=x');
    expect((window as unknown as { stolen?: number }).stolen).toBeUndefined();
  }

  it('of a plan is text', async () => {
    const { kernel } = await open([EVIL]);
    kernel.answers.plan = () => ({
      ...golden('plan-hostile'),
      key: EVIL.key,
      variants: [HOSTILE, 'b'],
      change: { cell_id: null, before: HOSTILE, after: `${HOSTILE}${'x'.repeat(50_000)}` }
    });
    await press('Try it');
    expectText();
    expect(host.querySelector('[aria-label="What is tried"]')?.textContent).not.toContain('\u202e');
    expect(said().length).toBeLessThan(2000);
    await press('Run the trial');
    expect(kernel.executed.pop().code).toBe(golden('plan-hostile').run);
  });

  it('of how it ended, of its verdict and of its change is text', async () => {
    const { say } = await open([EVIL]);
    await say({ ...golden('trial-failed'), key: EVIL.key });
    expect(said()).toContain('It did not end. <img src=x');
    expectText();
    await say(TRIED);
    const change = { ...CHANGE, after: HOSTILE };
    const trial = { ...FINDING.trial, quality: HOSTILE, note: HOSTILE, variant: HOSTILE, change };
    await say({ v: 1, type: 'findings', findings: [{ ...FINDING, name: HOSTILE, trial }] });
    await press('Apply');
    await press('Put it into the cell');
    await say({ v: 1, type: 'findings', findings: [] });
    expectText();
  });
});
