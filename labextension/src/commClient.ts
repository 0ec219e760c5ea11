/**
 * The two comms of a page and a kernel: `greennb.stream`, on which only the kernel speaks, and `greennb.ask`, on which it
 * only answers. On ipykernel 7 a comm has a subshell of its own and asks are heard while a cell runs, as long as nothing
 * else is sent on it (docs/adr/0009).
 */
import type { Kernel } from '@jupyterlab/services';
import type { JSONObject } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';

import { ASK_TARGET, STREAM_TARGET, VERSION, parseAnswer, parseStream, versionOf } from './wire';
import type { Answer, StreamMessage } from './wire';

/** A subshell starts in some 10 ms; ipykernel 6 has none and never says so, and neither does a kernel that is busy. */
export const SUBSHELL_MS = 1500;
/** Between the closing of one comm and that of the other. */
const CLOSING_MS = 500;
/** Longer than this and a kernel that does nothing else does not answer. */
export const ANSWER_MS = 10_000;

/** The kernel refuses, and says why in a sentence. */
export class Refused extends Error {}

/** The comms were closed, or no answer came. */
export class NoAnswer extends Error {}

/** What a client tells of: each may come at any time until it is disposed. */
export interface IHears {
  said(message: StreamMessage): void;
  /** The kernel has closed its comms: greennb is not loaded there, or not any more. Told once. */
  closed(): void;
  /** The kernel speaks another version than this page. */
  version(spoken: number): void;
}

export class CommClient implements IDisposable {
  /** Without `subshells` the comms are the main shell's, and wait for cells. */
  constructor(
    private readonly _kernel: Kernel.IKernelConnection,
    private readonly _hears: IHears,
    private readonly _subshells = true
  ) {}

  /** The stream's id, by which `watch` names it. */
  get stream(): string {
    return this._stream?.commId ?? '';
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Open both comms. Whether the kernel has greennb shows by what comes then: an answer, or `closed`. */
  async open(): Promise<void> {
    this._stream = this._create(STREAM_TARGET, data => {
      const message = parseStream(data);
      if (message !== null) {
        this._hears.said(message);
      }
    });
    this._ask = this._create(ASK_TARGET, data => this._answered(data));
    await Promise.all([this._subshell(this._stream), this._subshell(this._ask)]);
    if (!this._isDisposed) {
      this._stream.open();
      this._ask.open();
    }
  }

  /**
   * Ask the kernel. Rejects with `Refused`, or with `NoAnswer` where the comm is closed, or the kernel is idle for
   * `patience_ms` and says nothing; a busy kernel may take its time.
   */
  ask(question: string, fields: JSONObject = {}, patience_ms = ANSWER_MS): Promise<Answer> {
    const comm = this._ask;
    if (comm === null || comm.isDisposed || this._isDisposed) {
      return Promise.reject(new NoAnswer('The kernel is not connected.'));
    }
    const id = `${question}-${++this._asked}`;
    return new Promise((resolve, reject) => {
      const wait = (): void => {
        pending.timer = window.setTimeout(() => {
          if (this._kernel.status === 'busy') {
            wait();
          } else {
            this._pending.delete(id);
            reject(new NoAnswer('The kernel does not answer.'));
          }
        }, patience_ms);
      };
      const pending: IPending = { resolve, reject, timer: 0 };
      this._pending.set(id, pending);
      wait();
      try {
        comm.send({ v: VERSION, ask: question, id, ...fields });
      } catch {
        this._settle(id)?.reject(new NoAnswer('The kernel is gone.'));
      }
    });
  }

  /** Close both comms, in the kernel too where it can still be told. */
  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    window.clearTimeout(this._closing);
    for (const comm of [this._stream, this._ask]) {
      closeQuietly(comm);
    }
    for (const id of [...this._pending.keys()]) {
      this._settle(id)?.reject(new NoAnswer('The connection to the kernel was closed.'));
    }
  }

  private _create(target: string, heard: (data: unknown) => void): Kernel.IComm {
    const comm = this._kernel.createComm(target);
    comm.onMsg = message => {
      if (this._isDisposed) {
        return;
      }
      const { data } = message.content;
      const spoken = versionOf(data);
      if (spoken !== null && spoken !== VERSION) {
        this._hears.version(spoken);
      } else {
        heard(data);
      }
    };
    comm.onClose = () => {
      if (!this._isDisposed) {
        this._kernelClosed();
      }
    };
    return comm;
  }

  /** The other comm's closing is on its way: to close it from here as well would only make noise. */
  private _kernelClosed(): void {
    const first = this._closing === 0;
    window.clearTimeout(this._closing);
    this._closing = window.setTimeout(
      () => !this._isDisposed && this._hears.closed(),
      first ? CLOSING_MS : 0
    );
  }

  private async _subshell(comm: Kernel.IComm): Promise<void> {
    const { supportsSubshells } = this._kernel as { supportsSubshells?: boolean };
    const { subshellStarted } = comm as { subshellStarted?: Promise<void> };
    if (!this._subshells) {
      Object.assign(comm, { commsOverSubshells: 'disabled' });
      return;
    }
    if (subshellStarted !== undefined && supportsSubshells !== false) {
      await Promise.race([subshellStarted.catch(() => undefined), sleep(SUBSHELL_MS)]);
    }
  }

  private _answered(data: unknown): void {
    const answer = parseAnswer(data);
    const pending = answer && this._settle(answer.re);
    if (answer?.type === 'refused') {
      pending?.reject(new Refused(answer.reason));
    } else if (answer) {
      pending?.resolve(answer);
    }
  }

  private _settle(id: string): IPending | null {
    const pending = this._pending.get(id) ?? null;
    this._pending.delete(id);
    window.clearTimeout(pending?.timer);
    return pending;
  }

  private _stream: Kernel.IComm | null = null;
  private _ask: Kernel.IComm | null = null;
  private _isDisposed = false;
  private _asked = 0;
  private _closing = 0;
  private _pending = new Map<string, IPending>();
}

interface IPending {
  resolve(answer: Answer): void;
  reject(reason: Error): void;
  timer: number;
}

function closeQuietly(comm: Kernel.IComm | null): void {
  try {
    if (comm && !comm.isDisposed) {
      comm.close();
    }
  } catch {
    comm?.dispose(); // the kernel is gone, and the comm with it
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise(resolve => window.setTimeout(resolve, ms));
}
