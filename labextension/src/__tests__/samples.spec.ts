/** When samples come, and from which notebook. */
import { FakePanel } from './fakeNotebook';
import { opened } from './openNotebooks';
import { look, pass, paces, samples, usePage } from './watchedPage';

usePage();

describe('samples', () => {
  it('come only while somebody looks', async () => {
    const panel = new FakePanel();
    const { model } = opened(panel);
    await pass(1000);
    expect(paces(panel.kernel)).toEqual([]);
    const [one, two] = [model.watch(), model.watch()];
    await pass();
    one.dispose();
    await pass();
    expect(paces(panel.kernel)).toEqual([2]);
    two.dispose();
    two.dispose();
    await pass();
    expect(paces(panel.kernel)).toEqual([2, 0]);
  });

  it('name the stream that they are to come on', async () => {
    const panel = new FakePanel();
    opened(panel).model.watch();
    await pass(1000);
    expect(panel.kernel.asked.find(it => it.ask === 'watch').stream).toBe(panel.kernel.stream.commId);
  });

  it('stop while the page is hidden', async () => {
    const panel = new FakePanel();
    opened(panel).model.watch();
    await pass(1000);
    look('hidden');
    await pass(200_000);
    expect(paces(panel.kernel)).toEqual([2, 0]);
    look('visible');
    await pass();
    expect(paces(panel.kernel)).toEqual([2, 0, 2]);
  });

  it("are asked for again once a minute, in the setting's pace", async () => {
    const panel = new FakePanel();
    const { model } = opened(panel);
    model.watch();
    await pass(1000);
    panel.kernel.stream.say(samples([101], [[5]]));
    await pass(129_000);
    expect(paces(panel.kernel)).toEqual([2, 2, 2]);
    await model.set('rate_hz', 10);
    await pass();
    expect(paces(panel.kernel).pop()).toBe(10);
  });

  it('that do not come are asked for on a new stream, twice at most', async () => {
    const panel = new FakePanel();
    opened(panel).model.watch();
    await pass(1000);
    const { commId } = panel.kernel.stream;
    await pass(15_000);
    expect(paces(panel.kernel)).toEqual([2, 2]);
    expect(panel.kernel.stream.commId).not.toBe(commId);
    await pass(40_000); // a machine without sensors has nothing to say
    expect(paces(panel.kernel)).toEqual([2, 2, 2]);
  });

  it('come from the notebook in front', async () => {
    const [one, two] = [new FakePanel(), new FakePanel()];
    const { model, tracker } = opened(one, two);
    model.watch();
    await pass(1000);
    expect([paces(one.kernel), paces(two.kernel)]).toEqual([[], [2]]);
    tracker.show(one);
    await pass();
    expect([paces(one.kernel), paces(two.kernel)]).toEqual([[2], [2, 0]]);
    tracker.show(null);
    await pass();
    expect(paces(one.kernel)).toEqual([2, 0]);
    expect(model.current).toBeNull();
  });

  it('are in power, and told of once a message', async () => {
    const panel = new FakePanel();
    const { energy } = opened(panel);
    await pass(1000);
    let told = 0;
    energy.sampled.connect(() => told++);
    panel.kernel.stream.say(samples([101, 102], [[5, null]]));
    expect(told).toBe(1);
    expect(energy.power.latest?.watts).toEqual([null]);
    expect(energy.power.last_s).toBe(102);
  });

  it('of another number of domains are left out', async () => {
    const panel = new FakePanel();
    const { energy } = opened(panel);
    await pass(1000);
    panel.kernel.stream.say(samples([101], [[5], [6]]));
    expect(energy.power.latest).toBeNull();
  });

  it('are no watts of now once the kernel is gone', async () => {
    const panel = new FakePanel();
    const { energy } = opened(panel);
    await pass(1000);
    panel.kernel.stream.say(samples([101], [[5]]));
    panel.kernel.set('dead');
    expect(energy.power.latest).toBeNull();
  });
});
