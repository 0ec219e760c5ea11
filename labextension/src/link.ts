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

import { CommClient, NoAnswer } from './commClient';
import { attach } from './linkAttach';
import { languageOf, settled } from './linkKernel';
import { linkState, loadedItself } from './linkStates';
import type { IDetails } from './linkStates';
import type { ILinkState, LinkKind, NextStep } from './tokens';
import { SCHEMA, VERSION } from './wire';
import type { Answer, IHello, StreamMessage } from './wire';

/** After this long without an answer a user is told what is waited for. */
const SLOW_MS = 2000;
/** Between two attempts to reach a server after JupyterLab has given up. */
const AGAIN_MS = 30_000;

/** States from which running something with "greennb" in it may lead. */
const CURABLE: ReadonlySet<LinkKind> = new Set<LinkKind>([
  'not-installed',
  'not-loaded',
  'too-old',
  'failed'
]);

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
    void session.ready.then(() => this._connect());
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
    this._set('connecting');
    this._connecting.emit();
    try {
      const language = await languageOf(kernel);
      if (here() && !/^i?python/i.test(language)) {
        return this._set('not-python', { language });
      }
      await settled(kernel);
      const mayLoad = asked || (this._options.autoStart() && !this._unloaded);
      const first = here() && mayLoad && kernel.status === 'idle';
      if (first && !(await this._load(kernel, here, asked))) {
        return;
      }
      if (!here() || (await this._greet(kernel, here))) {
        return;
      }
      // Nobody is there: greennb is not loaded, and a busy kernel has not been asked yet to load it.
      if (first || !mayLoad) {
        return here() ? this._set(first ? 'failed' : 'not-loaded') : undefined;
      }
      if (await this._load(kernel, here, asked)) {
        const there = await this._greet(kernel, here);
        if (here() && !there) {
          this._set('failed');
        }
      }
    } catch (error) {
      // A kernel that goes away takes its futures with it; its status says what became of it.
      if (here() && this._obstacle(kernel) === null) {
        this._set('failed', { reason: error instanceof Error ? error.message : '' });
      }
    }
  }

  /** Why no connection can be made now; null where it can. */
  private _obstacle(kernel: Kernel.IKernelConnection | null): LinkKind | null {
    if (kernel === null) {
      return this._options.session.isReady ? 'no-kernel' : 'connecting';
    }
    if (kernel.status === 'dead' || kernel.isDisposed) {
      return 'dead';
    }
    if (kernel.status === 'restarting' || kernel.status === 'autorestarting') {
      return 'restarting';
    }
    if (kernel.connectionStatus !== 'connected') {
      return !this._wasConnected
        ? 'connecting'
        : this._state.kind === 'restarting'
          ? 'restarting'
          : 'disconnected';
    }
    return null;
  }

  /** Have greennb loaded; false where it cannot be, and the state says why. */
  private async _load(
    kernel: Kernel.IKernelConnection,
    here: () => boolean,
    asked: boolean
  ): Promise<boolean> {
    if (kernel.status === 'busy') {
      this._set('busy');
    }
    const { outcome, python, reason } = await attach(kernel);
    if (!here()) {
      return false;
    }
    if (outcome === 'loaded' || outcome === 'was-loaded') {
      this._did = outcome === 'loaded' && !asked ? loadedItself(this._options.trans) : this._did;
      return true;
    }
    this._set(outcome, { python, reason });
    return false;
  }

  /** Open the comms and exchange greetings; false where the kernel has no greennb loaded. */
  private async _greet(kernel: Kernel.IKernelConnection, here: () => boolean): Promise<boolean> {
    let absent = (): void => undefined;
    const nobody = new Promise<null>(resolve => (absent = () => resolve(null)));
    const client = new CommClient(kernel, {
      said: message => this._hear(message),
      closed: () => (this._hello === null ? absent() : this._unload()),
      version: spoken => {
        this._drop();
        this._set(spoken > VERSION ? 'too-new' : 'too-old');
      }
    });
    this._client?.dispose();
    this._client = client;
    const slow = window.setTimeout(() => {
      if (here() && this._hello === null && kernel.status !== 'idle') {
        this._set('busy');
      }
    }, SLOW_MS);
    try {
      await client.open();
      const answer = await Promise.race([client.ask('hello'), nobody]);
      if (here() && answer?.type === 'hello') {
        this._meet(answer);
      }
      return answer !== null;
    } finally {
      window.clearTimeout(slow);
      if (this._hello === null) {
        client.dispose();
      }
    }
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
    window.clearTimeout(this._again);
    this._client?.dispose();
    this._client = null;
    this._hello = null;
  }

  private _set(kind: LinkKind, details?: IDetails): void {
    const state = linkState(kind, this._options.trans, details);
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

  private _onKernelChanged(): void {
    this._wasConnected = false;
    this._unloaded = false;
    this._did = '';
    void this._connect();
  }

  private _onStatus(_: unknown, status: Kernel.Status): void {
    if (status === 'restarting' || status === 'autorestarting' || status === 'dead') {
      this._unloaded = false;
      this._did = '';
      this._drop();
      this._set(status === 'dead' ? 'dead' : 'restarting');
    } else if (this._state.kind === 'restarting') {
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
    } else if (this._state.kind !== 'restarting' && this._state.kind !== 'dead') {
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
  private _again = 0;
  private _wasConnected = false;
  private _unloaded = false;
  private _touched = false;
  private _isDisposed = false;
  private _stateChanged = new Signal<KernelLink, ILinkState>(this);
  private _connecting = new Signal<KernelLink, void>(this);
  private _greeted = new Signal<KernelLink, IHello>(this);
  private _said = new Signal<KernelLink, StreamMessage>(this);
}
