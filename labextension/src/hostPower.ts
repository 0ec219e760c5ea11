/**
 * The power of the Jupyter server's own machine, over the server's socket, in the messages that a kernel's comms carry.
 * It is there before any kernel, and beside kernels of any language. A server without greennb is asked three times, and
 * then left in peace until somebody looks again.
 */
import { ServerConnection } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import { PowerHistory } from './power';
import type { IPowered } from './tokens';
import { VERSION, parseAnswer, parseStream, versionOf } from './wire';
import type { IHello } from './wire';

/** Between two attempts: the first waits so long, each later one twice as long as the one before. */
export const RETRY_MS = 2000;
const LONGEST_RETRY_MS = 60_000;
/** A server that was never reached is given up after so many attempts. */
export const ATTEMPTS = 3;

export class HostPower implements IPowered, IDisposable {
  constructor(private readonly _server: ServerConnection.ISettings = ServerConnection.makeSettings()) {}

  get hello(): IHello | null {
    return this._hello;
  }

  get factsChanged(): ISignal<HostPower, void> {
    return this._factsChanged;
  }

  get stateChanged(): ISignal<HostPower, void> {
    return this._factsChanged;
  }

  get sampled(): ISignal<HostPower, void> {
    return this._sampled;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  jumpTo(): boolean {
    return false;
  }

  /** Samples a second that somebody looks at; 0 for none, and then there is no socket. */
  set pace_hz(pace_hz: number) {
    if (pace_hz === this._pace_hz || this._isDisposed) {
      return;
    }
    const woken = this._pace_hz === 0;
    this._pace_hz = pace_hz;
    if (pace_hz === 0) {
      this._drop();
    } else if (woken) {
      this._failures = 0;
      this._connect();
    } else if (this._hello !== null) {
      this._ask('watch', { hz: pace_hz });
    }
  }

  dispose(): void {
    if (!this._isDisposed) {
      this.pace_hz = 0;
      this._isDisposed = true;
      Signal.clearData(this);
    }
  }

  readonly power = new PowerHistory();
  readonly runs = [];
  readonly running = null;

  private _connect(): void {
    const { wsUrl, token, appendToken, WebSocket } = this._server;
    const query = appendToken && token ? `?token=${encodeURIComponent(token)}` : '';
    const socket = new WebSocket(`${wsUrl.replace(/\/$/, '')}/greennb/stream${query}`);
    this._socket = socket;
    const ours = (): boolean => socket === this._socket;
    socket.onopen = () => ours() && this._ask('hello');
    socket.onmessage = ({ data }: { data: unknown }) => ours() && this._heard(data);
    socket.onclose = () => ours() && this._lost();
  }

  private _heard(text: unknown): void {
    let data: unknown;
    try {
      data = JSON.parse(String(text));
    } catch {
      return;
    }
    if (versionOf(data) !== VERSION) {
      return this._giveUp(); // the server's greennb is another; the page's own kernels say what to do
    }
    const answer = parseAnswer(data);
    const said = answer ?? parseStream(data);
    switch (said?.type) {
      case 'hello':
        return this._meet(said);
      case 'history':
        this.power.load(said.t_s, said.w);
        return this._sampled.emit();
      case 'samples':
        return this.power.add(said) ? this._sampled.emit() : undefined;
      case 'bye':
        return this._giveUp();
    }
  }

  private _meet(hello: IHello): void {
    this._failures = 0;
    if (hello.session !== this._session) {
      this.power.clear();
    }
    this._session = hello.session;
    this._hello = hello;
    this.power.setDomains(hello.domains.map(({ id }) => id));
    this.power.heard(hello.t_s);
    this._factsChanged.emit();
    this._ask('history');
    this._ask('watch', { hz: this._pace_hz });
  }

  private _ask(question: string, fields: Record<string, number> = {}): void {
    if (this._socket?.readyState === this._server.WebSocket.OPEN) {
      this._socket.send(JSON.stringify({ v: VERSION, ask: question, id: question, ...fields }));
    }
  }

  private _lost(): void {
    this._socket = null;
    this._forget();
    this._failures++;
    if (this._session === '' && this._failures >= ATTEMPTS) {
      return;
    }
    const wait_ms = Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** (this._failures - 1));
    this._timer = window.setTimeout(() => this._connect(), wait_ms);
  }

  private _giveUp(): void {
    this._drop();
    this._pace_hz = 0;
  }

  private _drop(): void {
    window.clearTimeout(this._timer);
    const socket = this._socket;
    this._socket = null;
    socket?.close();
    this._forget();
  }

  /** No watts are known at present; what was stays for when it comes back. */
  private _forget(): void {
    if (this._hello !== null) {
      this._hello = null;
      this.power.silence();
      this._factsChanged.emit();
    }
  }

  private _socket: WebSocket | null = null;
  private _hello: IHello | null = null;
  private _session = '';
  private _pace_hz = 0;
  private _failures = 0;
  private _timer = 0;
  private _isDisposed = false;
  private _factsChanged = new Signal<HostPower, void>(this);
  private _sampled = new Signal<HostPower, void>(this);
}
