/** Stands between the page and a server, and can be shut: the server is gone, as a network or a laptop's lid takes it. */
import { createServer, connect } from 'net';
import type { AddressInfo, Server, Socket } from 'net';

export class Gate {
  /** A gate before the server at `address`. */
  static async before(address: string): Promise<Gate> {
    const gate = new Gate(Number(new URL(address).port));
    await gate.open();
    return gate;
  }

  private constructor(private readonly _target: number) {}

  /** Where the page finds the server, the same before and after it was gone. */
  get address(): string {
    return `http://127.0.0.1:${this._port}`;
  }

  /** Let everything through. */
  async open(): Promise<void> {
    const server = createServer(near => {
      const far = connect(this._target, '127.0.0.1');
      for (const [one, other] of [
        [near, far],
        [far, near]
      ]) {
        this._sockets.add(one);
        one.pipe(other);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          this._sockets.delete(one);
          other.destroy();
        });
      }
    });
    await new Promise<void>(resolve => server.listen(this._port, '127.0.0.1', resolve));
    this._port = (server.address() as AddressInfo).port;
    this._server = server;
  }

  /** Refuse everything, and break off what is going on. */
  async shut(): Promise<void> {
    const closed = new Promise(resolve => this._server?.close(resolve));
    this._sockets.forEach(socket => socket.destroy());
    await closed;
    this._server = null;
  }

  private _port = 0;
  private _server: Server | null = null;
  private readonly _sockets = new Set<Socket>();
}
