/**
 * The link between a notebook and greennb in its kernel, over the kernel's whole life: it connects, loads greennb where
 * the user's settings allow it, says in which state it is, and comes back by itself after a restart or a lost server.
 */
import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { JSONObject } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import { NoAnswer } from './commClient';
import type { CommClient } from './commClient';
import { attach } from './linkAttach';
import { SLOW_MS, handshake } from './linkHandshake';
import { linkState, loadedItself } from './linkStates';
import type { IDetails } from './linkStates';
import type { ILinkState, LinkKind, NextStep } from './tokens';
import { SCHEMA, VERSION } from './wire';
import type { Answer, IHello, StreamMessage } from './wire';

/** How long a notebook may take to have a kernel before it has none. */
const START_MS = 5000;
/** How long a kernel that restarts may be out of reach before that is the server. */
const RESTART_MS = 15_000;
/** Between two attempts to reach a server after JupyterLab has given up. */
const AGAIN_MS = 30_000;

/** States from which running something with "greennb" in it may lead. */
const CURABLE: ReadonlySet<LinkKind> = new Set<LinkKind>([
  'not-installed',
  'not-loaded',
  'too-old',
  'failed'
]);

/** States that a kernel passes through while it restarts. */
const PASSING: ReadonlySet<LinkKind> = new Set<LinkKind>(['connecting', 'busy', 'disconnected']);

type IKernelChange = { oldValue: Kernel.IKernelConnection | null; newValue: Kernel.IKernelConnection | null };

export interface ILinkOptions {
  session: ISessionContext;
  dialogs: ISessionContext.IDialogs;
  /** Whether greennb may load itself. */
  autoStart(): boolean;
  trans: TranslationBundle;
}

export class KernelLink implements IDisposable {
  constructor(private readonly _options: ILinkOptions) {
    this._state = linkState('connecting', _options.trans);
    const { session } = _options;
    session.kernelChanged.connect(this._onKernelChanged, this);
    session.statusChanged.connect(this._onStatus, this);
    session.connectionStatusChanged.connect(this._onConnection, this);
    session.iopubMessage.connect(this._onOutput, this);
    window.addEventListener('pagehide', this._onPageHide);
    window.addEventListener('pageshow', this._onPageShow);
    const begin = (): void => {
      this._begun = true;
      window.clearTimeout(this._starting);
      void this._connect();
    };
    // A session that waits for somebody to choose a kernel is not ready, and never says so.
    this._starting = window.setTimeout(begin, START_MS);
    void session.ready.then(begin);
  }

  get state(): ILinkState {
    return this._state;
  }

  get stateChanged(): ISignal<KernelLink, ILinkState> {
    return this._stateChanged;
  }

  /** What greennb did by itself; "" where it did nothing. */
  get did(): string {
    return this._did;
  }

  /** The kernel's facts, as long as it is linked. */
  get hello(): IHello | null {
    return this._hello;
  }

  /** The id of this page's stream in the kernel. */
  get stream(): string {
    return this._client?.stream ?? '';
  }

  /** A connection to the kernel is being made: what it said before may not hold any more. */
  get connecting(): ISignal<KernelLink, void> {
    return this._connecting;
  }

  /** The kernel has said who it is, and can be asked. */
  get greeted(): ISignal<KernelLink, IHello> {
    return this._greeted;
  }

  /** What comes on the stream. */
  get said(): ISignal<KernelLink, StreamMessage> {
    return this._said;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Ask the kernel; rejects as `CommClient.ask` does. */
  async ask(question: string, fields: JSONObject = {}): Promise<Answer> {
    const client = this._client;
    if (client === null) {
      throw new NoAnswer('The kernel is not connected.');
    }
    const slow = window.setTimeout(() => {
      const silent = performance.now() - this._heard_ms > SLOW_MS;
      if (this._state.kind === 'live' && this._kernel?.status === 'busy' && silent) {
        this._set('busy');
      }
    }, SLOW_MS);
    try {
      return await client.ask(question, fields);
    } finally {
      window.clearTimeout(slow);
      this._alive(client);
    }
  }

  /** Take a step that a user has chosen. */
  async act(step: NextStep): Promise<void> {
    const { session, dialogs } = this._options;
    switch (step) {
      case 'start-kernel':
        return dialogs.selectKernel(session);
      case 'restart':
        return this._restart();
      case 'reload-page':
        return window.location.reload();
      case 'load':
      case 'retry':
        this._unloaded = false;
        if (this._state.kind === 'disconnected') {
          return this._reconnect();
        }
        return this._connect(true);
      case null:
        return;
    }
  }

  /** The user's settings have changed. */
  settingsChanged(): void {
    if (this._state.kind === 'not-loaded' && this._options.autoStart() && !this._unloaded) {
      void this._connect();
    }
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._drop();
    this._endRestart();
    window.clearTimeout(this._starting);
    window.removeEventListener('pagehide', this._onPageHide);
    window.removeEventListener('pageshow', this._onPageShow);
    const { session } = this._options;
    session.kernelChanged.disconnect(this._onKernelChanged, this);
    session.statusChanged.disconnect(this._onStatus, this);
    session.connectionStatusChanged.disconnect(this._onConnection, this);
    session.iopubMessage.disconnect(this._onOutput, this);
    Signal.clearData(this);
  }

  private get _kernel(): Kernel.IKernelConnection | null {
    return this._options.session.session?.kernel ?? null;
  }

  /** Connect anew; only the latest attempt goes on. `asked` is whether the user wants greennb loaded. */
  private async _connect(asked = false): Promise<void> {
    this._drop();
    const turn = this._turn;
    const here = (): boolean => turn === this._turn && !this._isDisposed;
    const kernel = this._kernel;
    const obstacle = this._obstacle(kernel);
    if (obstacle !== null || kernel === null) {
      return this._set(obstacle ?? 'no-kernel');
    }
    this._wasConnected = true;
    this._underWay = true;
    this._set('connecting');
    this._connecting.emit();
    const life = this._life;
    try {
      const outcome = await handshake({
        kernel,
        here,
        mayLoad: asked || (this._options.autoStart() && !this._unloaded),
        adopt: client => {
          this._client?.dispose();
          this._client = client;
        },
        loaded: () => {
          if (life === this._life && !asked) {
            this._did = loadedItself(this._options.trans);
          }
        },
        busy: () => here() && this._set('busy'),
        said: message => this._hear(message),
        left: () => this._unload(),
        version: spoken => {
          this._drop();
          this._set(spoken > VERSION ? 'too-new' : 'too-old');
        }
      });
      if (here()) {
        if (outcome.kind === 'met') {
          this._meet(outcome.hello);
        } else {
          this._set(outcome.kind, outcome.details);
        }
      }
    } catch (error) {
      // A kernel that goes away takes its futures with it; its status says what became of it.
      if (here() && this._obstacle(kernel) === null) {
        this._set('failed', { reason: error instanceof Error ? error.message : '' });
      }
    } finally {
      this._underWay = here() ? false : this._underWay;
    }
  }

  /** Why no connection can be made now; null where it can. */
  private _obstacle(kernel: Kernel.IKernelConnection | null): LinkKind | null {
    if (kernel === null) {
      return this._begun ? 'no-kernel' : 'connecting';
    }
    if (kernel.status === 'dead' || kernel.isDisposed) {
      return 'dead';
    }
    if (kernel.status === 'restarting' || kernel.status === 'autorestarting') {
      return 'restarting';
    }
    if (kernel.connectionStatus !== 'connected') {
      return this._wasConnected ? 'disconnected' : 'connecting';
    }
    return null;
  }

  private _meet(hello: IHello): void {
    if (hello.schema > SCHEMA) {
      this._drop();
      return this._set('too-new');
    }
    this._hello = hello;
    this._set('live');
    this._greeted.emit(hello);
    const kernel = this._kernel;
    if (!hello.settings.measure && this._options.autoStart() && !this._unloaded && kernel !== null) {
      // Loaded by the user, measuring nothing yet. This measures unless somebody has turned it off.
      attach(kernel).catch(() => undefined);
    }
  }

  private _hear(message: StreamMessage): void {
    this._heard_ms = performance.now();
    if (message.type === 'hello') {
      this._hello = this._hello && message;
    }
    if (message.type === 'bye') {
      this._unload();
    }
    this._alive(this._client);
    this._said.emit(message);
  }

  /** Something was heard: whoever was thought busy is not, or can speak all the same. */
  private _alive(client: CommClient | null): void {
    if (client === this._client && this._state.kind === 'busy' && this._hello !== null) {
      this._set('live');
    }
  }

  /** greennb has left the kernel, because somebody wanted it so: it does not come back by itself. */
  private _unload(): void {
    this._unloaded = true;
    this._drop();
    this._set('not-loaded');
  }

  /** End what there is, and whatever is under way. */
  private _drop(): void {
    this._turn++;
    this._underWay = false;
    window.clearTimeout(this._again);
    this._client?.dispose();
    this._client = null;
    this._hello = null;
  }

  private _set(kind: LinkKind, details?: IDetails): void {
    const state = linkState(kind, this._options.trans, details);
    if (kind === 'live' || kind === 'dead' || kind === 'no-kernel') {
      this._endRestart();
    } else if (this._restarting !== 0 && PASSING.has(kind)) {
      return; // part of restarting
    }
    const { kind: before, sentence, command } = this._state;
    const same = kind === before && state.sentence === sentence && state.command === command;
    if (same || this._isDisposed) {
      return;
    }
    this._state = state;
    if (kind === 'disconnected') {
      this._again = window.setTimeout(() => void this._reconnect(), AGAIN_MS);
    }
    this._stateChanged.emit(state);
  }

  private _beginRestart(): void {
    window.clearTimeout(this._restarting);
    this._restarting = window.setTimeout(() => {
      this._endRestart();
      if (this._state.kind === 'restarting' && !this._underWay) {
        void this._connect();
      }
    }, RESTART_MS);
  }

  private _endRestart(): void {
    window.clearTimeout(this._restarting);
    this._restarting = 0;
  }

  private async _restart(): Promise<void> {
    const { session, dialogs } = this._options;
    if (this._state.kind === 'dead') {
      const name = this._kernel?.name ?? session.prevKernelName;
      await session.changeKernel({ name });
    } else {
      await dialogs.restart(session);
    }
  }

  private async _reconnect(): Promise<void> {
    try {
      await this._kernel?.reconnect();
    } catch {
      // It tried for two minutes. The server is still away; the state says so already.
    }
    if (this._state.kind === 'disconnected' && !this._isDisposed) {
      window.clearTimeout(this._again);
      this._again = window.setTimeout(() => void this._reconnect(), AGAIN_MS);
    }
  }

  private _onKernelChanged(_: unknown, { oldValue, newValue }: IKernelChange): void {
    if (newValue !== null && newValue === oldValue) {
      return; // so ends a restart; the kernel's status has said that already
    }
    this._wasConnected = false;
    this._beginLife();
    this._endRestart();
    void this._connect();
  }

  /** Another process: what was done to the one before is done no more. */
  private _beginLife(): void {
    this._life++;
    this._unloaded = false;
    this._did = '';
  }

  private _onStatus(_: unknown, status: Kernel.Status): void {
    if (status === 'restarting' || status === 'autorestarting' || status === 'dead') {
      this._beginLife();
      this._drop();
      this._set(status === 'dead' ? 'dead' : 'restarting');
      if (status !== 'dead') {
        this._beginRestart();
      }
    } else if (this._state.kind === 'restarting' && !this._underWay) {
      void this._connect();
    } else if (status === 'idle' && this._touched) {
      this._touched = false;
      if (CURABLE.has(this._state.kind)) {
        void this._connect();
      }
    }
  }

  private _onConnection(_: unknown, status: Kernel.ConnectionStatus): void {
    if (status === 'connected') {
      void this._connect();
    } else if (this._state.kind !== 'dead') {
      this._drop();
      this._set(this._obstacle(this._kernel) ?? 'disconnected');
    }
  }

  /** A cell that loads, installs or removes greennb: look again once it has ended. */
  private _onOutput(_: unknown, message: KernelMessage.IMessage): void {
    if (message.header.msg_type === 'execute_input') {
      const { code } = message.content as { code?: unknown };
      this._touched = this._touched || (typeof code === 'string' && code.includes('greennb'));
    }
  }

  private _onPageHide = (): void => this._drop();

  private _onPageShow = (event: PageTransitionEvent): void => {
    if (event.persisted) {
      void this._connect();
    }
  };

  private _state: ILinkState;
  private _did = '';
  private _hello: IHello | null = null;
  private _client: CommClient | null = null;
  private _heard_ms = 0;
  /** Counts attempts: what an earlier one still brings is not wanted. */
  private _turn = 0;
  /** Counts the kernel's processes. */
  private _life = 0;
  private _underWay = false;
  private _again = 0;
  private _starting = 0;
  private _restarting = 0;
  private _begun = false;
  private _wasConnected = false;
  private _unloaded = false;
  private _touched = false;
  private _isDisposed = false;
  private _stateChanged = new Signal<KernelLink, ILinkState>(this);
  private _connecting = new Signal<KernelLink, void>(this);
  private _greeted = new Signal<KernelLink, IHello>(this);
  private _said = new Signal<KernelLink, StreamMessage>(this);
}
