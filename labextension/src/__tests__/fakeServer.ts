/** A Jupyter server at the boundary: sockets that are opened, what is sent on them, and what a test has them say. */
import type { ServerConnection } from '@jupyterlab/services';

import { HELLO } from './fakeKernel';

export class FakeSocket {
  static readonly OPEN = 1;

  constructor(
    readonly url: string,
    readonly server: FakeServer
  ) {}

  onopen: () => void = () => undefined;
  onmessage: (event: { data: unknown }) => void = () => undefined;
  onclose: () => void = () => undefined;
  readyState = 0;
  readonly sent: { ask: string; hz?: number }[] = [];

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.readyState = 3;
  }

  /** The server takes the connection. */
  open(): void {
    this.readyState = FakeSocket.OPEN;
    this.onopen();
  }

  /** The server does not, or ends it. */
  end(): void {
    this.readyState = 3;
    this.onclose();
  }

  says(data: unknown): void {
    this.onmessage({ data: typeof data === 'string' ? data : JSON.stringify(data) });
  }

  /** Open, and say hello as greennb in a server does. */
  greets(over: Record<string, unknown> = {}): this {
    this.open();
    this.says({ ...HELLO, re: 'hello', ...over });
    return this;
  }
}

export class FakeServer {
  readonly sockets: FakeSocket[] = [];

  get settings(): ServerConnection.ISettings {
    const server = this;
    class Opened extends FakeSocket {
      constructor(url: string) {
        super(url, server);
        server.sockets.push(this);
      }
    }
    return {
      wsUrl: 'ws://127.0.0.1:8888/user/ada/',
      token: 'secret',
      appendToken: false,
      WebSocket: Opened
    } as unknown as ServerConnection.ISettings;
  }

  get last(): FakeSocket {
    return this.sockets[this.sockets.length - 1];
  }
}
