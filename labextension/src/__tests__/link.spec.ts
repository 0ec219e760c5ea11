/** The states of a link, each as a user meets it, against a kernel that is faked at its comms. */
import { nullTranslator } from '@jupyterlab/translation';

import { KernelLink } from '../link';
import { FakeKernel, FakeSession, HELLO } from './fakeKernel';

const trans = nullTranslator.load('greennb');

let links: KernelLink[] = [];

function linked({
  kernel = new FakeKernel() as FakeKernel | null,
  session = new FakeSession(kernel),
  autoStart = true
} = {}) {
  const settings = { autoStart };
  const dialogs = { selectKernel: jest.fn(async () => undefined), restart: jest.fn(async () => true) };
  const link = new KernelLink({
    session: session.context,
    dialogs,
    trans,
    autoStart: () => settings.autoStart
  });
  links.push(link);
  const kinds: string[] = [];
  link.stateChanged.connect((_, state) => kinds.push(state.kind));
  return { link, session, kernel: kernel as FakeKernel, kinds, settings, dialogs };
}

/** Let everything happen that is due within `ms`. */
const pass = (ms = 0): Promise<void> => jest.advanceTimersByTimeAsync(ms) as unknown as Promise<void>;

beforeEach(() => {
  jest.useFakeTimers();
  links = [];
});

afterEach(async () => {
  links.forEach(link => link.dispose());
  await pass(); // what was under way hears of its end
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

describe('connecting', () => {
  it('loads greennb by itself, silently, and says so', async () => {
    const { link, kernel, kinds } = linked();
    await pass();
    expect(kinds).toEqual(['live']);
    expect(link.did).toContain('loaded itself');
    expect(kernel.executed).toMatchObject([{ code: '', silent: true, store_history: false }]);
  });

  it('says nothing of loading where greennb was there', async () => {
    const kernel = new FakeKernel();
    kernel.loaded = true;
    kernel.attachSays = { status: 'ok', data: { 'text/plain': `'{"v": 1, "loaded": true, "problem": ""}'` } };
    const { link } = linked({ kernel });
    await pass();
    expect([link.state.kind, link.did]).toEqual(['live', '']);
  });

  it('executes nothing where greennb may not load itself', async () => {
    const { link, kernel, settings } = linked({ autoStart: false });
    await pass(1000);
    expect(link.state).toMatchObject({ kind: 'not-loaded', step: 'load' });
    expect(kernel.executed).toEqual([]);
    await link.act('load');
    await pass(1000);
    expect([link.state.kind, link.did]).toEqual(['live', '']);
    expect(settings.autoStart).toBe(false);
  });

  it('loads greennb once the setting is turned on', async () => {
    const { link, settings } = linked({ autoStart: false });
    await pass(1000);
    settings.autoStart = true;
    link.settingsChanged();
    await pass(1000);
    expect(link.state.kind).toBe('live');
  });

  it('offers to measure every cell where greennb is loaded and does not', async () => {
    const kernel = new FakeKernel();
    kernel.loaded = true;
    kernel.answers.hello = () => ({ ...HELLO, settings: { ...HELLO.settings, measure: false } });
    const { link } = linked({ kernel, autoStart: false });
    await pass();
    expect(link.state).toMatchObject({ kind: 'live', step: 'load' });
    await link.act('load');
    expect(kernel.asked).toContainEqual(expect.objectContaining({ ask: 'set', measure: true }));
    kernel.stream.say({ v: 1, type: 'settings', ...HELLO.settings });
    expect(link.state.step).toBeNull();
  });

  it.each([
    ["No module named 'greennb'", 'not-installed', '"/opt/my env/python" -m pip install greennb'],
    [
      "No module named 'greennb.jupyter.attach'",
      'too-old',
      '"/opt/my env/python" -m pip install --upgrade greennb'
    ],
    ["No module named 'psutil'", 'failed', ''],
    ["No module named 'greennb.jupyter'; 'greennb' is not a package", 'failed', '']
  ])('%s: %s', async (evalue, kind, command) => {
    const kernel = new FakeKernel();
    kernel.attachSays = { status: 'error', ename: 'ModuleNotFoundError', evalue };
    const { link } = linked({ kernel });
    await pass();
    expect(link.state).toMatchObject({ kind, command });
    expect(kernel.comms).toEqual([]);
  });

  it('tells why greennb could not be loaded, as plain text', async () => {
    const kernel = new FakeKernel();
    const problem = '{"v": 1, "loaded": false, "problem": "OSError: <b>disk</b> \\u202e full"}';
    kernel.attachSays = { status: 'ok', data: { 'text/plain': `'${problem.replace(/\\/g, '\\\\')}'` } };
    const { link } = linked({ kernel });
    await pass();
    expect(link.state).toMatchObject({ kind: 'failed', step: 'retry' });
    expect(link.state.sentence).toContain('OSError: <b>disk</b> full');
  });

  it('looks again once a cell has installed it', async () => {
    const kernel = new FakeKernel();
    const { attachSays } = kernel;
    kernel.attachSays = {
      status: 'error',
      ename: 'ModuleNotFoundError',
      evalue: "No module named 'greennb'"
    };
    const { link, session } = linked({ kernel });
    await pass();
    kernel.attachSays = attachSays;
    session.ran('%pip install greennb');
    kernel.set('busy');
    kernel.set('idle');
    await pass();
    expect(link.state.kind).toBe('live');
  });

  it('leaves a kernel of another language alone', async () => {
    const kernel = new FakeKernel();
    kernel.language = 'R';
    const { link } = linked({ kernel });
    await pass();
    expect(link.state.kind).toBe('not-python');
    expect(link.state.sentence).toContain('R');
    expect([kernel.executed, kernel.comms]).toEqual([[], []]);
  });

  it.each([
    [{ v: 2, type: 'hello' }, 'too-new'],
    [{ ...HELLO, v: 0 }, 'too-old'],
    [{ ...HELLO, schema: 2 }, 'too-new']
  ])('%j is a greennb that this page cannot read: %s', async (hello, kind) => {
    const kernel = new FakeKernel();
    kernel.answers.hello = () => hello;
    const { link } = linked({ kernel });
    await pass();
    expect(link.state.kind).toBe(kind);
    expect(kernel.open).toEqual([]);
  });

  it('does without a subshell where one does not hear', async () => {
    const kernel = new FakeKernel();
    kernel.loaded = true;
    const { hello } = kernel.answers;
    kernel.answers.hello = () =>
      (kernel.stream as { commsOverSubshells?: string }).commsOverSubshells === 'disabled'
        ? hello({})
        : undefined;
    const { link } = linked({ kernel });
    await pass(6000);
    expect(link.state.kind).toBe('live');
    expect(kernel.open).toHaveLength(2);
  });

  it('is over where an idle kernel does not answer', async () => {
    const kernel = new FakeKernel();
    kernel.answers.hello = () => undefined;
    const { link } = linked({ kernel });
    await pass(11_000);
    expect(link.state).toMatchObject({ kind: 'failed', step: 'retry' });
    expect(kernel.open).toEqual([]);
  });

  it('has no kernel where there is none, and takes one that comes', async () => {
    const { link, session, dialogs } = linked({ kernel: null });
    await pass();
    expect(link.state).toMatchObject({ kind: 'no-kernel', step: 'start-kernel' });
    await link.act('start-kernel');
    expect(dialogs.selectKernel).toHaveBeenCalled();
    session.use(new FakeKernel());
    await pass();
    expect(link.state.kind).toBe('live');
  });

  it('says that there is no kernel while nobody chooses one', async () => {
    const session = new FakeSession(null);
    session.ready = new Promise(() => undefined);
    const { link } = linked({ session });
    await pass(100);
    expect(link.state.kind).toBe('connecting');
    await pass(6000);
    expect(link.state.kind).toBe('no-kernel');
  });
});

describe('a busy kernel', () => {
  it('is said to be busy until it answers', async () => {
    const kernel = new FakeKernel();
    Object.assign(kernel, { deaf: true, status: 'busy' });
    const { link } = linked({ kernel });
    await pass(60_000);
    expect(link.state.kind).toBe('busy');
    kernel.set('idle');
    await pass(1000);
    expect(link.state.kind).toBe('live');
    expect(link.did).not.toBe('');
  });

  it('is live where it answers on a subshell', async () => {
    const kernel = new FakeKernel();
    Object.assign(kernel, { loaded: true, status: 'busy' });
    const { link } = linked({ kernel });
    await pass(100);
    expect(link.state.kind).toBe('live');
    expect(kernel.executed).toEqual([]);
  });

  it('is said to be busy where it stops answering, and live again once it does', async () => {
    const { link, kernel } = linked();
    await pass();
    Object.assign(kernel, { deaf: true });
    kernel.set('busy');
    await pass(3000);
    const answer = link.ask('watch', { hz: 2 });
    await pass(5000);
    expect(link.state.kind).toBe('busy');
    kernel.set('idle');
    await answer;
    expect(link.state.kind).toBe('live');
  });
});

describe('over the life of a kernel', () => {
  it('restarts: connected anew, in one stretch of restarting', async () => {
    const { link, session, kernel, kinds } = linked();
    await pass();
    kinds.length = 0;
    kernel.set('restarting');
    session.connection('connecting');
    session.connection('connected');
    kernel.set('starting');
    kernel.set('idle');
    session.kernelChanged.emit({ name: 'kernel', oldValue: kernel, newValue: kernel });
    await pass(2000);
    expect(kinds).toEqual(['restarting', 'live']);
    expect(kernel.open).toHaveLength(2);
    expect(link.did).toContain('loaded itself');
  });

  it('is not spoken to over the connection that it had before its restart', async () => {
    const { link, session, kernel } = linked();
    await pass();
    const before = kernel.comms.length;
    kernel.set('restarting');
    kernel.set('starting');
    await pass(100);
    expect(kernel.comms).toHaveLength(before);
    session.connection('connecting');
    session.connection('connected');
    await pass(2000);
    expect(link.state.kind).toBe('live');
  });

  it('dies', async () => {
    const { link, session, kernel } = linked();
    await pass();
    kernel.isDisposed = true;
    kernel.set('dead');
    expect(link.state).toMatchObject({ kind: 'dead', step: 'restart' });
    await link.act('restart');
    expect(session.changedTo).toEqual([{ name: 'python3' }]);
  });

  it('is another one now', async () => {
    const { link, session, kernel } = linked();
    await pass();
    const other = new FakeKernel();
    session.use(other);
    await pass();
    expect(link.state.kind).toBe('live');
    expect([kernel.open.length, other.open.length]).toEqual([0, 2]);
  });

  it('is shut down', async () => {
    const { link, session } = linked();
    await pass();
    session.use(null);
    await pass();
    expect(link.state.kind).toBe('no-kernel');
  });

  it('comes back by itself with the server', async () => {
    const { link, session, kernel } = linked();
    await pass();
    session.connection('connecting');
    expect(link.state).toMatchObject({ kind: 'disconnected', step: 'retry' });
    await pass(70_000);
    expect(kernel.reconnects).toBeGreaterThan(0);
    expect(kernel.reconnects).toBeLessThan(4);
    session.connection('connected');
    await pass();
    expect(link.state.kind).toBe('live');
    expect(kernel.open).toHaveLength(2);
  });

  it('is left alone where greennb was unloaded, until somebody loads it', async () => {
    const { link, session, kernel } = linked();
    await pass();
    kernel.executed = [];
    kernel.loaded = false;
    kernel.stream.say({ v: 1, type: 'bye', reason: 'unloaded' });
    kernel.open.forEach(comm => comm.closeFromKernel());
    await pass(1000);
    expect(link.state).toMatchObject({ kind: 'not-loaded', step: 'load' });
    session.ran('%load_ext greennb');
    kernel.loaded = true;
    kernel.set('busy');
    kernel.set('idle');
    await pass(1000);
    expect(link.state.kind).toBe('live');
    expect(kernel.executed).toEqual([]);
  });

  it('never has more than one pair of comms, however often it is asked', async () => {
    const { link, session, kernel } = linked();
    for (let n = 0; n < 10; n++) {
      session.connection('connected');
      void link.act('retry');
      await pass(n % 3);
    }
    await pass(1000);
    expect(link.state.kind).toBe('live');
    expect(kernel.open).toHaveLength(2);
  });
});

describe('a page that goes', () => {
  it('closes its comms', async () => {
    const { kernel } = linked();
    await pass();
    window.dispatchEvent(new Event('pagehide'));
    expect(kernel.closedByPage.sort()).toEqual(['greennb.ask', 'greennb.stream']);
  });

  it('undoes everything when it is disposed', async () => {
    const { link, session, kernel, kinds } = linked();
    await pass();
    link.dispose();
    link.dispose();
    kinds.length = 0;
    kernel.set('restarting');
    session.connection('connected');
    session.use(new FakeKernel());
    window.dispatchEvent(new Event('pagehide'));
    await pass(60_000);
    expect(kinds).toEqual([]);
    expect(kernel.open).toEqual([]);
  });
});

describe('ask', () => {
  it("gives the kernel's reason where it refuses", async () => {
    const kernel = new FakeKernel();
    kernel.answers.set = () => ({ v: 1, type: 'refused', reason: 'There is no such zone.' });
    const { link } = linked({ kernel });
    await pass();
    await expect(link.ask('set', { zone: 'x' })).rejects.toThrow('There is no such zone.');
  });

  it('rejects what is still open when the connection goes', async () => {
    const kernel = new FakeKernel();
    kernel.answers.watch = () => undefined;
    const { link } = linked({ kernel });
    await pass();
    const asked = link.ask('watch', { hz: 1 });
    const rejected = expect(asked).rejects.toThrow();
    link.dispose();
    await rejected;
  });

  it('drops garbage, and goes on', async () => {
    const { link, kernel } = linked();
    await pass();
    const heard: string[] = [];
    link.said.connect((_, message) => heard.push(message.type));
    for (const data of [
      null,
      7,
      [],
      { v: 1 },
      { v: 1, type: 'samples', t_s: 'x' },
      { v: 1, type: 'future' }
    ]) {
      kernel.stream.say(data);
    }
    kernel.stream.say({ v: 1, type: 'waste', items: [] });
    expect(heard).toEqual(['waste']);
    expect(link.state.kind).toBe('live');
  });
});
