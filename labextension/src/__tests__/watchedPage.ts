/** A page that looks on, with a clock of the test's: what specs of samples and of notebooks share. */
import type { FakeKernel } from './fakeKernel';
import { closeAll } from './openNotebooks';

export const pass = (ms = 0): Promise<void> => jest.advanceTimersByTimeAsync(ms) as unknown as Promise<void>;

export const samples = (t_s: number[], w: (number | null)[][]) => ({
  v: 1,
  type: 'samples',
  t_s,
  w,
  low_w: [null],
  high_w: [null],
  gauges: [],
  faults: []
});

export const paces = (kernel: FakeKernel): number[] =>
  kernel.asked.filter(it => it.ask === 'watch').map(it => it.hz);

let visible = 'visible';

export function look(state: 'visible' | 'hidden'): void {
  visible = state;
  document.dispatchEvent(new Event('visibilitychange'));
}

/** Before and after each test of a spec: fake timers, and nothing left to run. */
export function usePage(): void {
  beforeEach(() => {
    jest.useFakeTimers();
    visible = 'visible';
    jest
      .spyOn(document, 'visibilityState', 'get')
      .mockImplementation(() => visible as DocumentVisibilityState);
  });

  afterEach(async () => {
    closeAll();
    await pass(); // what was under way hears of its end
    expect(jest.getTimerCount()).toBe(0);
    jest.restoreAllMocks();
    jest.useRealTimers();
  });
}
