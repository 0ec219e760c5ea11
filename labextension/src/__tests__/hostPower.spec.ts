/** The server's own machine, where no kernel tells of one. */
import { ATTEMPTS, HostPower, RETRY_MS } from '../hostPower';
import { FakePanel } from './fakeNotebook';
import { FakeServer } from './fakeServer';
import { opened } from './openNotebooks';
import { look, pass, samples, usePage } from './watchedPage';

usePage();

function watched(server = new FakeServer()) {
  const host = new HostPower(server.settings);
  host.pace_hz = 2;
  return { server, host };
}

const asked = (server: FakeServer) => server.last.sent.map(({ ask, hz }) => (hz ? [ask, hz] : ask));

describe('the server’s socket', () => {
  it('lies below the server’s base, and has the token only where the server’s own sockets have it', () => {
    const { server, host } = watched();
    expect(server.last.url).toBe('ws://127.0.0.1:8888/user/ada/greennb/stream');
    host.dispose();
    const crossOrigin = new FakeServer();
    const other = new HostPower({ ...crossOrigin.settings, appendToken: true });
    other.pace_hz = 1;
    expect(crossOrigin.last.url).toContain('?token=secret');
    other.dispose();
  });

  it('is there only while somebody looks on', () => {
    const { server, host } = watched();
    server.last.greets();
    expect(asked(server)).toEqual(['hello', 'history', ['watch', 2]]);
    host.pace_hz = 5;
    expect(asked(server)).toContainEqual(['watch', 5]);
    host.pace_hz = 0;
    expect(server.last.readyState).toBe(3);
    expect(host.hello).toBeNull();
    expect(server.sockets).toHaveLength(1);
    host.dispose();
  });

  it('says watts', () => {
    const { server, host } = watched();
    const heard = jest.fn();
    host.sampled.connect(heard);
    server.last.greets();
    server.last.says(samples([100, 100.5], [[60, 70]]));
    expect(host.power.latest?.watts).toEqual([70]);
    expect(heard).toHaveBeenCalledTimes(1);
    host.dispose();
  });

  it('is opened again when it was lost, later each time, and the machine is not forgotten', async () => {
    const { server, host } = watched();
    server.last.greets();
    server.last.end();
    expect(host.hello).toBeNull();
    expect(host.power.latest).toBeNull();
    await pass(RETRY_MS);
    expect(server.sockets).toHaveLength(2);
    server.last.end();
    await pass(RETRY_MS);
    expect(server.sockets).toHaveLength(2);
    await pass(RETRY_MS);
    expect(server.sockets).toHaveLength(3);
    server.last.greets();
    expect(host.hello?.host).toBe('bench');
    host.dispose();
  });

  it('of a server without greennb is left in peace after a few attempts, until somebody looks again', async () => {
    const { server, host } = watched();
    for (let attempt = 0; attempt < 2 * ATTEMPTS; attempt++) {
      server.last.end();
      await pass(60_000);
    }
    expect(server.sockets).toHaveLength(ATTEMPTS);
    host.pace_hz = 0;
    host.pace_hz = 1;
    expect(server.sockets).toHaveLength(ATTEMPTS + 1);
    host.dispose();
  });

  it('may say garbage, or speak another version', () => {
    const { server, host } = watched();
    server.last.open();
    ['no json', '[]', 'null', '{"v":1}', '{"v":1,"type":"samples","w":3}'].forEach(it =>
      server.last.says(it)
    );
    expect(host.hello).toBeNull();
    server.last.greets({ v: 2 });
    expect(host.hello).toBeNull();
    host.dispose();
  });
});

describe('the model', () => {
  it('asks the server where there is no notebook, and no more once a kernel tells of its machine', async () => {
    const { model, server, tracker } = opened();
    expect(server.sockets).toHaveLength(0);
    model.watch();
    expect(server.sockets).toHaveLength(1);
    server.last.greets();
    const panel = new FakePanel();
    tracker.open(panel);
    await pass(1000);
    expect(model.current?.hello).not.toBeNull();
    expect(model.host.hello).toBeNull();
    expect(server.last.readyState).toBe(3);
  });

  it('asks nobody while the page is hidden', () => {
    const { model, server } = opened();
    model.watch();
    look('hidden');
    expect(server.last.readyState).toBe(3);
    look('visible');
    expect(server.sockets).toHaveLength(2);
  });
});
