/** What was dismissed stays so: in the notebook's metadata, by the finding's key, through reload and restart. */
import { setAside, shown } from '../dismissals';
import type { IFinding } from '../wire';
import { HELLO } from './fakeKernel';
import { FakePanel } from './fakeNotebook';
import { closeAll, opened } from './openNotebooks';
import { finding } from './shownPart';

const pass = (ms = 0): Promise<void> => jest.advanceTimersByTimeAsync(ms) as unknown as Promise<void>;

const OLDER = { key: '', subject: '' };
const clf = finding({ code: 'GNB304', subject: 'clf' });
const net = finding({ code: 'GNB219', subject: 'net' });
const other = finding({ code: 'GNB219', subject: 'other' });

beforeEach(() => jest.useFakeTimers());

afterEach(async () => {
  closeAll();
  await pass();
  expect(jest.getTimerCount()).toBe(0);
  jest.restoreAllMocks();
  jest.useRealTimers();
});

async function found(panel: FakePanel, findings: readonly IFinding[]) {
  const { energy } = opened(panel);
  await pass(1000);
  panel.kernel.stream.say({ v: 1, type: 'findings', findings });
  await pass(200);
  return energy;
}

const names = (findings: readonly IFinding[]): string[] =>
  findings.map(it => it.key || `${it.code} ${it.cell_id}`);

describe('a dismissal', () => {
  it('is of one finding, or of a rule for good, and is undone', async () => {
    const panel = new FakePanel();
    const energy = await found(panel, [clf, net, other]);
    energy.dismiss(clf, false);
    expect(names(energy.findings)).toEqual(['GNB219 net', 'GNB219 other']);
    energy.dismiss(net, true);
    expect(energy.findings).toEqual([]);
    expect(panel.model.metadata.greennb).toMatchObject({ dismissed: ['GNB304 clf'], never: ['GNB219'] });
    const [rule, single] = energy.setAside;
    expect([rule, single].map(({ name, always }) => [name, always])).toEqual([
      ['GNB219', true],
      ['GNB304 clf', false]
    ]);
    energy.restore(rule);
    energy.restore(single);
    expect(names(energy.findings)).toEqual(['GNB304 clf', 'GNB219 net', 'GNB219 other']);
    expect(panel.model.metadata).not.toHaveProperty('greennb');
  });

  it('holds when the cell runs again, and in the next kernel, whichever cell is the dearest then', async () => {
    const panel = new FakePanel();
    const energy = await found(panel, [clf]);
    energy.dismiss(clf, false);
    panel.kernel.stream.say({ v: 1, type: 'findings', findings: [{ ...clf, cell_id: 'b', cells: 3 }] });
    expect(energy.findings).toEqual([]);
    panel.kernel.answers.hello = () => ({ ...HELLO, session: 's2' });
    panel.kernel.set('restarting');
    panel.session.connection('connecting');
    panel.session.connection('connected');
    panel.kernel.set('idle');
    await pass(1000);
    panel.kernel.stream.say({ v: 1, type: 'findings', findings: [clf, net] });
    expect(names(energy.findings)).toEqual(['GNB219 net']);
  });

  it('is in the metadata that the next page reads', async () => {
    const [one, two] = [new FakePanel(), new FakePanel()];
    (await found(one, [clf, net])).dismiss(clf, false);
    two.model.metadata = JSON.parse(JSON.stringify(one.model.metadata));
    expect(names((await found(two, [clf, net])).findings)).toEqual(['GNB219 net']);
  });

  it('of an older greennb, by rule and cell, still counts, and is undone too', async () => {
    const panel = new FakePanel();
    panel.model.metadata.greennb = { budget_j: null, dismissed: ['GNB304 c1'], never: [] };
    const energy = await found(panel, [clf, net]);
    expect(names(energy.findings)).toEqual(['GNB219 net']);
    expect(energy.setAside).toEqual([{ name: 'GNB304 c1', always: false, finding: clf }]);
    energy.restore(energy.setAside[0]);
    expect(names(energy.findings)).toEqual(['GNB304 clf', 'GNB219 net']);
  });

  it('of an older kernel’s finding is by rule and cell', async () => {
    const panel = new FakePanel();
    const energy = await found(panel, [
      { ...clf, ...OLDER },
      { ...clf, ...OLDER, cell_id: 'b' }
    ]);
    energy.dismiss(energy.findings[0], false);
    expect(names(energy.findings)).toEqual(['GNB304 b']);
  });

  it('of what this kernel has not found is listed all the same', () => {
    const memory = { budget_j: null, dismissed: ['GNB304 clf'], never: ['GNB101'] };
    expect(setAside([], memory)).toEqual([
      { name: 'GNB101', always: true, finding: null },
      { name: 'GNB304 clf', always: false, finding: null }
    ]);
    expect(shown([net], memory)).toEqual([net]);
  });

  it('keeps the budget, and a budget keeps it', async () => {
    const panel = new FakePanel();
    const energy = await found(panel, [clf]);
    energy.setBudget(500);
    energy.dismiss(clf, false);
    energy.setBudget(600);
    expect(panel.model.metadata.greennb).toEqual({ budget_j: 600, dismissed: ['GNB304 clf'], never: [] });
  });

  it.each([
    ['whose model is read-only', (panel: FakePanel) => (panel.model.readOnly = true)],
    [
      'whose file cannot be written',
      (panel: FakePanel) => ((panel.context as any).contentsModel = { writable: false })
    ],
    [
      'that refuses',
      (panel: FakePanel) => {
        jest.spyOn(console, 'warn').mockImplementation(() => undefined);
        panel.model.setMetadata = () => {
          throw new Error('read-only');
        };
      }
    ]
  ])('in a notebook %s holds as long as the page, and writes nothing', async (_, make) => {
    const panel = new FakePanel();
    make(panel);
    const energy = await found(panel, [clf, net]);
    let told = 0;
    energy.adviceChanged.connect(() => told++);
    energy.dismiss(clf, false);
    await pass(200);
    expect([names(energy.findings), told]).toEqual([['GNB219 net'], 1]);
    expect(panel.model.metadata).toEqual({});
    energy.restore(energy.setAside[0]);
    expect(names(energy.findings)).toEqual(['GNB304 clf', 'GNB219 net']);
  });

  it('in a notebook that is still read, or is gone, does nothing and does not throw', async () => {
    const panel = new FakePanel();
    const energy = await found(panel, [clf]);
    panel.content.model = null;
    energy.dismiss(clf, false);
    expect(energy.findings).toHaveLength(1);
    panel.dispose();
    energy.dismiss(clf, true);
    expect(energy.setAside).toEqual([]);
  });
});

it('code goes below the cell that it is about, else below the active one', async () => {
  const panel = new FakePanel();
  const energy = await found(panel, [clf]);
  energy.insertCode('one', 'b');
  energy.insertCode('two', 'gone');
  const cells = panel.model.sharedModel.cells.map(cell => cell.getSource());
  expect([cells[2], cells[3]]).toEqual(['one', 'two']);
});

it('is told to the kernel when it changes, and to the next kernel', async () => {
  const panel = new FakePanel();
  const energy = await found(panel, [clf]);
  const told = () => panel.kernel.asked.filter(it => it.ask === 'set').map(({ dismissed }) => dismissed);
  expect(told()).toEqual([]);
  energy.dismiss(clf, false);
  energy.dismiss(net, true);
  energy.restore({ name: net.code, always: true, finding: net });
  await pass();
  expect(told()).toEqual([[clf.key], [net.code, clf.key], [clf.key]]);
  panel.kernel.set('restarting');
  panel.session.connection('connecting');
  panel.session.connection('connected');
  panel.kernel.set('idle');
  await pass(1000);
  expect(told().slice(3)).toEqual([[clf.key]]);
});
