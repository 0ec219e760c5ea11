/**
 * The link between a notebook and greennb in its kernel, over the kernel's whole life: it connects, loads greennb where
 * the user's settings allow it, says in which state it is, and comes back by itself after a restart or a lost server.
 */
import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { JSONObject } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import { NoAnswer } from './commClient';
import type { CommClient } from './commClient';
import { attach } from './linkAttach';
import { LinkEvents } from './linkEvents';
import { SLOW_MS, handshake, obstacleOf } from './linkHandshake';
import { Reach, restart } from './linkReach';
import { CURABLE, PASSING, linkState, loadedItself } from './linkStates';
import type { IDetails } from './linkStates';
import type { ILinkState, LinkKind, NextStep } from './tokens';
import { SCHEMA, VERSION } from './wire';
import type { Answer, IHello, StreamMessage } from './wire';

/** How long a kernel that restarts may be out of reach before that is the server. */
const RESTART_MS = 15_000;

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
    this._events = new LinkEvents(_options.session, {
      begun: () => this._begin(),
      replaced: () => this._replace(),
      restarting: () => this._restarts(),
      died: () => this._die(),
      // A new process is spoken to over a new connection: what the old one still carries is lost.
      lives: () => this._state.kind === 'restarting' && this._reconnected && !this._underWay && this._again(),
      connected: () => {
        this._reconnected = true;
        this._again();
      },
      lost: () => this._lose(),
      touched: () => CURABLE.has(this._state.kind) && this._again(),
      hidden: () => this._drop(),
      shown: () => this._again()
    });
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
        return restart(session, dialogs);
      case 'reload-page':
        return window.location.reload();
      case 'load':
      case 'retry':
        this._unloaded = false;
        if (this._state.kind === 'disconnected') {
          return this._reach.now();
        }
        if (this._hello !== null) {
          await this.ask('set', { measure: true });
          return;
        }
        return this._connect(true);
      case null:
        return;
    }
  }

  /** The user's settings have changed. */
  settingsChanged(): void {
    const autoStarts = this._autoStarts;
    this._autoStarts = this._options.autoStart();
    if (this._state.kind === 'not-loaded' && this._autoStarts && !this._unloaded) {
      this._again();
    } else if (this._autoStarts && !autoStarts) {
      this._measure();
    }
  }

  /** Nothing comes although it should. */
  reconnect(): void {
    this._again();
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._drop();
    this._endRestart();
    this._events.dispose();
    this._reach.dispose();
    Signal.clearData(this);
  }

  private get _kernel(): Kernel.IKernelConnection | null {
    return this._options.session.session?.kernel ?? null;
  }

  private get _obstacle(): LinkKind | null {
    return obstacleOf(this._kernel, { begun: this._begun, wasConnected: this._wasConnected });
  }

  private _again(): void {
    void this._connect();
  }

  /** Connect anew; only the latest attempt goes on. `asked` is whether the user wants greennb loaded. */
  private async _connect(asked = false): Promise<void> {
    this._drop();
    const turn = this._turn;
    const here = (): boolean => turn === this._turn && !this._isDisposed;
    const kernel = this._kernel;
    const obstacle = this._obstacle;
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
      if (here() && this._obstacle === null) {
        this._set('failed', { reason: error instanceof Error ? error.message : '' });
      }
    } finally {
      this._underWay = here() ? false : this._underWay;
    }
  }

  private _meet(hello: IHello): void {
    if (hello.schema > SCHEMA) {
      this._drop();
      return this._set('too-new');
    }
    this._hello = hello;
    this._live();
    this._greeted.emit(hello);
    this._measure();
  }

  /** Where the user has loaded greennb, have every cell measured, unless somebody has turned that off in the kernel. */
  private _measure(): void {
    const kernel = this._kernel;
    const wanted = this._options.autoStart() && !this._unloaded;
    if (wanted && kernel && this._hello?.settings.measure === false) {
      attach(kernel).catch(() => undefined); // a kernel that goes away says so by its status
    }
  }

  private _live(): void {
    this._set('live', { measures: this._hello?.settings.measure });
  }

  private _hear(message: StreamMessage): void {
    this._heard_ms = performance.now();
    if (message.type === 'hello' && this._hello) {
      this._hello = message;
    }
    if (message.type === 'settings' && this._hello) {
      this._hello = { ...this._hello, settings: message };
      this._live();
    }
    this._alive(this._client);
    this._said.emit(message);
  }

  /** Something was heard: whoever was thought busy is not, or can speak all the same. */
  private _alive(client: CommClient | null): void {
    if (client === this._client && this._state.kind === 'busy' && this._hello !== null) {
      this._live();
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
    this._reach.stop();
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
      this._reach.later();
    }
    this._stateChanged.emit(state);
  }

  private _beginRestart(): void {
    window.clearTimeout(this._restarting);
    this._restarting = window.setTimeout(() => {
      this._endRestart();
      if (this._state.kind === 'restarting' && !this._underWay) {
        this._again();
      }
    }, RESTART_MS);
  }

  private _endRestart(): void {
    window.clearTimeout(this._restarting);
    this._restarting = 0;
  }

  private _begin(): void {
    this._begun = true;
    this._again();
  }

  private _replace(): void {
    this._wasConnected = false;
    this._beginLife();
    this._endRestart();
    this._again();
  }

  private _restarts(): void {
    this._beginLife();
    this._reconnected = false;
    this._drop();
    this._set('restarting');
    this._beginRestart();
  }

  private _die(): void {
    this._beginLife();
    this._drop();
    this._set('dead');
  }

  private _lose(): void {
    if (this._state.kind !== 'dead') {
      this._drop();
      this._set(this._obstacle ?? 'disconnected');
    }
  }

  /** Another process: what was done to the one before is done no more. */
  private _beginLife(): void {
    this._life++;
    this._unloaded = false;
    this._did = '';
  }

  private readonly _events: LinkEvents;
  private readonly _reach = new Reach(
    () => this._kernel,
    () => this._state.kind === 'disconnected'
  );
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
  private _restarting = 0;
  private _begun = false;
  private _autoStarts = true;
  private _wasConnected = false;
  private _reconnected = false;
  private _unloaded = false;
  private _isDisposed = false;
  private _stateChanged = new Signal<KernelLink, ILinkState>(this);
  private _connecting = new Signal<KernelLink, void>(this);
  private _greeted = new Signal<KernelLink, IHello>(this);
  private _said = new Signal<KernelLink, StreamMessage>(this);
}
