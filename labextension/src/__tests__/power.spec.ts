/** The chart's memory: means over time, gaps where nobody watched, and never more of it. */
import { PowerHistory } from '../power';
import type { ISamples } from '../wire';

function samples(t_s: number[], ...w: (number | null)[][]): ISamples {
  return { v: 1, type: 'samples', t_s, w, low_w: [], high_w: [], gauges: [], faults: [] };
}

/** A history of one domain and a page's clock that shows the kernel's seconds, `late_s` late. */
function watching(ids = ['gpu:0']) {
  const page = { s: 0 };
  const power = new PowerHistory(() => page.s);
  power.setDomains(ids);
  const say = (t_s: number, watts: (number | null)[], late_s = 0) => {
    page.s = t_s + late_s;
    return power.add(samples([t_s], ...watts.map(w => [w])));
  };
  return { power, page, say };
}

const at = (power: PowerHistory, span_s: number, t_s: number, domain = 0) => {
  const view = power.view(span_s);
  const bin = view.t_s.findIndex(middle => Math.abs(middle - t_s) <= view.bin_s / 2);
  return bin < 0 ? undefined : view.watts[domain][bin];
};

describe('view', () => {
  it('is empty before the first sample', () => {
    const { power } = watching();
    expect(power.view(60).t_s).toHaveLength(0);
    expect(power.now_s()).toBeNaN();
    expect(power.latest).toBeNull();
  });

  it('holds a sample back to the one before: no holes at one sample a second', () => {
    const { power, say } = watching();
    for (let t = 100; t <= 110; t++) {
      say(t, [t]);
    }
    expect([...power.view(5).watts[0].slice(0, -1)].every(Number.isFinite)).toBe(true);
    expect(at(power, 60, 105.55)).toBe(106);
  });

  it.each([
    [60, 0.1],
    [300, 0.5],
    [3600, 5]
  ])('keeps the mean power at %p s', (span_s, bin_s) => {
    const { power, say } = watching();
    for (let tick = 0; tick <= 40_000; tick++) {
      say(1000 + tick / 10, [tick % 2 ? 300 : 100]);
    }
    const view = power.view(span_s);
    expect(view.bin_s).toBe(bin_s);
    expect(view.t_s.length * bin_s).toBeGreaterThanOrEqual(span_s);
    expect(view.t_s.length * bin_s).toBeLessThan(span_s + 3 * bin_s);
    const mean = view.watts[0].reduce((sum, w) => sum + w, 0) / view.watts[0].length;
    expect(mean).toBeCloseTo(200, -1);
    if (span_s === 3600) {
      expect(view.watts[0][300]).toBeCloseTo(200, 0);
    }
  });

  it('weighs by time, not by the number of samples', () => {
    const { power, say } = watching();
    say(1000, [0]);
    say(1004, [100]);
    for (let t = 4.01; t < 5; t += 0.01) {
      say(1000 + t, [0]);
    }
    expect(at(power, 3600, 1002.5)).toBeCloseTo(80, 0);
  });

  it('has NaN where nobody watched, and where a sensor said nothing; 0 W is 0 W', () => {
    const { power, say } = watching(['gpu:0', 'cpu:0']);
    say(100, [10, 0]);
    say(101, [null, 0]);
    say(131, [10, 0]);
    expect(at(power, 60, 100.55)).toBeNaN();
    expect(at(power, 60, 100.55, 1)).toBe(0);
    expect(at(power, 60, 115.05, 1)).toBeNaN();
    expect(at(power, 60, 130.95)).toBe(10);
  });

  it('reuses its arrays, and takes no more memory in a day than in an hour', () => {
    const { power, say } = watching();
    say(1, [1]);
    const before = power.view(60).t_s.buffer;
    for (let t = 2; t < 90_000; t += 1) {
      say(t, [t]);
    }
    expect(power.view(60).t_s.buffer).toBe(before);
    expect(power.view(3600).t_s.length).toBeLessThan(725);
    expect(power.view(60).t_s.length).toBeLessThan(605);
  });

  it('ascends after any number of turns of the ring', () => {
    const { power, say } = watching();
    for (let t = 0; t < 500; t += 0.37) {
      say(t, [t]);
      const { t_s, watts } = power.view(60);
      expect(t_s.every((middle, i) => i === 0 || middle > t_s[i - 1])).toBe(true);
      expect(watts[0].every((w, i) => i === 0 || !(w < watts[0][i - 1]))).toBe(true);
    }
  });

  it('reaches no further than the setting', () => {
    const { power, say } = watching();
    for (let t = 1000; t < 2000; t++) {
      say(t, [1]);
    }
    power.longest_s = 60;
    expect(power.view(3600).t_s[0]).toBeGreaterThan(1935);
  });

  it('holds 64 domains', () => {
    const ids = Array.from({ length: 64 }, (_, n) => `gpu:${n}`);
    const { power, say } = watching(ids);
    say(
      10,
      ids.map((_, n) => n)
    );
    say(
      11,
      ids.map((_, n) => n)
    );
    expect(power.view(60).watts.map(row => row[row.length - 2])).toEqual(ids.map((_, n) => n));
  });
});

describe('odd samples', () => {
  it('begins anew when the clock goes back, as after a restart', () => {
    const { power, say } = watching();
    say(1000, [7]);
    say(1001, [7]);
    say(3, [1]);
    say(4, [1]);
    const { t_s } = power.view(60);
    expect(t_s[t_s.length - 1]).toBeCloseTo(4, 0);
    expect([...power.view(60).watts[0]]).not.toContain(7);
  });

  it('leaves out a sample that was overtaken', () => {
    const { power, say } = watching();
    say(10, [1]);
    say(11, [1]);
    say(10.5, [900]);
    expect([...power.view(60).watts[0]]).not.toContain(900);
  });

  it('begins anew after more than a day', () => {
    const { power, say } = watching();
    say(10, [1]);
    say(200_000, [2]);
    expect([...power.view(3600).watts[0]].filter(Number.isFinite)).toEqual([2]);
  });

  it('ends with times that no machine has', () => {
    const { power, say } = watching();
    say(10, [1]);
    power.load([1e300, -5, NaN, Infinity], [[1, 1, 1, 1]]);
    power.load([11], [[1]]);
    expect(at(power, 60, 10.55)).toBe(1);
  });

  it('leaves out rows that are not the domains', () => {
    const { power, say } = watching();
    say(10, [1]);
    expect(power.add(samples([11], [1], [2]))).toBe(false);
    expect(power.latest?.watts).toEqual([1]);
  });

  it('tells null where the newest reading failed', () => {
    const { power, say } = watching(['gpu:0', 'cpu:0']);
    say(10, [1, 2]);
    say(11, [null, 2]);
    expect(power.latest?.watts).toEqual([null, 2]);
  });
});

describe('domains', () => {
  it('keep their history when another goes', () => {
    const { power, say } = watching(['gpu:0', 'cpu:0']);
    say(10, [5, 50]);
    say(11, [5, 50]);
    power.setDomains(['cpu:0', 'dram:0']);
    expect(at(power, 60, 10.55, 0)).toBe(50);
    expect(at(power, 60, 10.55, 1)).toBeNaN();
  });
});

describe('history', () => {
  it('fills in what is newer than what is here, and keeps what is here', () => {
    const { power, say } = watching();
    say(10, [1]);
    say(11, [1]);
    power.load([9, 10.5, 12, 13], [[8, 8, 2, 2]]);
    expect(at(power, 60, 10.55)).toBe(1);
    expect(at(power, 60, 12.55)).toBe(2);
  });
});

describe('now_s', () => {
  it('runs on between samples, and late messages do not hold it up', () => {
    const { power, page, say } = watching();
    say(100, [1], 0.01);
    say(101, [1], 0.4);
    expect(power.now_s()).toBeCloseTo(101.39, 5);
    page.s += 0.5;
    expect(power.now_s()).toBeCloseTo(101.89, 5);
  });

  it('follows a kernel whose clock stood still, within half a minute', () => {
    const { power, page, say } = watching();
    say(100, [1]);
    for (let t = 101; t < 130; t++) {
      say(t, [1], 500); // the kernel's machine slept 500 s
    }
    expect(power.now_s()).toBeCloseTo(129, 0);
    expect(page.s).toBeCloseTo(629, 0);
  });
});
