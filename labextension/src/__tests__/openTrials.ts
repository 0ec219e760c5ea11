/** A notebook whose findings can be tried, with its advice in a page: importing this makes both for each test. */
import { readFileSync } from 'fs';
import { join } from 'path';
import { act } from 'react';

import type { NotebookEnergy } from '../notebookEnergy';
import { Advice } from '../panels/advice';
import type { FakeKernel } from './fakeKernel';
import { NO_TOTAL } from './fakeKernel';
import { FakePanel } from './fakeNotebook';
import { measurement } from './measurements';
import { closeAll, opened } from './openNotebooks';
import { host, show } from './shownPart';

export const golden = (name: string): any =>
  JSON.parse(readFileSync(join(__dirname, `../../../tests/data/messages/${name}.json`), 'utf8'));

export const PLAN = golden('plan');
export const { key: KEY, change: CHANGE } = PLAN;
export const CELL = CHANGE.cell_id;
export const TRIED = golden('findings-tried');
export const FINDING = TRIED.findings[0];
export const UNTRIED = { ...FINDING, trial: null };

export const pass = (ms = 0): Promise<void> =>
  act(() => jest.advanceTimersByTimeAsync(ms)) as unknown as Promise<void>;
export const buttons = (words: string): HTMLButtonElement[] =>
  [...host.querySelectorAll<HTMLButtonElement>('button')].filter(button => button.textContent === words);

export async function press(words: string): Promise<void> {
  act(() => buttons(words)[0].click());
  await pass(10); // the kernel answers at once, and the page is painted
}

/** What is said of the trial: the card's own part of it. */
export const said = (): string => host.querySelector('.gnb-Try')?.textContent ?? '';
export const signs = (): string[] =>
  [...host.querySelectorAll('.gnb-Diff > div')].map(line => (line.textContent ?? '').slice(0, 1));

export interface IOpen {
  kernel: FakeKernel;
  panel: FakePanel;
  energy: NotebookEnergy;
  cell: FakePanel['model']['sharedModel']['cells'][number];
  /** The kernel says something on its stream, and the page has shown it. */
  say(message: object): Promise<void>;
  /** What the kernel's `%energy_try` comes to. */
  end(reply: object): Promise<void>;
  codes(): string[];
}

/** A notebook with the advice tab before it, whose kernel has these findings and can try them. */
export async function open(findings: object[] = [UNTRIED]): Promise<IOpen> {
  const panel = new FakePanel(['8f0e-1', CELL]);
  const { kernel } = panel;
  const { energy } = opened(panel);
  let end: (reply: object) => void = () => undefined;
  kernel.executes = ({ code }) =>
    code.startsWith('%energy_try') ? new Promise(resolve => (end = resolve)) : undefined;
  kernel.answers.plan = ({ variant }) => ({ ...PLAN, variant: variant ?? PLAN.variant });
  const cell = panel.model.sharedModel.cells[1];
  cell.setSource(CHANGE.before);
  await pass(1000);
  show(Advice, energy);
  const say = async (message: object): Promise<void> => {
    act(() => kernel.stream.say(message));
    await pass(1000);
  };
  await say({ v: 1, type: 'findings', findings });
  return {
    ...{ kernel, panel, energy, cell, say },
    end: async reply => {
      end(reply);
      await pass(10);
    },
    codes: () => kernel.executed.map(({ code }) => code).filter(code => code.startsWith('%'))
  };
}

/** The run of the cell that it is about. */
export const measured = (total_j: number, t0_s: number, over: object = {}) => ({
  v: 1,
  type: 'ended',
  t0_s,
  t1_s: t0_s + 2,
  source: 'fit()',
  measurement: { ...measurement(total_j), id: `run-${t0_s}`, cell_id: CELL, ...over },
  session: { ...NO_TOTAL, runs: 1, total_j }
});

beforeEach(() => jest.useFakeTimers());

afterEach(async () => {
  closeAll();
  await pass(1000);
  jest.useRealTimers();
});
