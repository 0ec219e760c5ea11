/** What happens to a notebook's kernel and its page, in the words of a link. */
import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';

/** How long a notebook may take to have a kernel before it has none. */
const START_MS = 5000;

export interface ILinkHandlers {
  /** The session has a kernel by now, or will not have one by itself. */
  begun(): void;
  /** Another kernel, or none any more. */
  replaced(): void;
  /** The kernel's process is replaced. */
  restarting(): void;
  died(): void;
  /** The kernel is in any other state. */
  lives(status: Kernel.Status): void;
  /** The server can be reached, again perhaps. */
  connected(): void;
  lost(): void;
  /** A cell that loads, installs or removes greennb has ended. */
  touched(): void;
  /** The page goes away. */
  hidden(): void;
  /** The page comes back as it was. */
  shown(): void;
}

interface IKernelChange {
  oldValue: Kernel.IKernelConnection | null;
  newValue: Kernel.IKernelConnection | null;
}

/** Whether a change of kernels is one: a restart ends with one to the same kernel. */
export function isReplaced({ oldValue, newValue }: { oldValue: unknown; newValue: unknown }): boolean {
  return newValue === null || newValue !== oldValue;
}

/** Calls the handlers until it is disposed. */
export class LinkEvents implements IDisposable {
  constructor(
    private readonly _session: ISessionContext,
    private readonly _handlers: ILinkHandlers
  ) {
    const begin = (): void => {
      window.clearTimeout(this._starting);
      if (!this._isDisposed) {
        _handlers.begun();
      }
    };
    // A session that waits for somebody to choose a kernel is not ready, and never says so.
    this._starting = window.setTimeout(begin, START_MS);
    void _session.ready.then(begin);
    _session.kernelChanged.connect(this._onKernel, this);
    _session.statusChanged.connect(this._onStatus, this);
    _session.connectionStatusChanged.connect(this._onConnection, this);
    _session.iopubMessage.connect(this._onOutput, this);
    window.addEventListener('pagehide', this._onPageHide);
    window.addEventListener('pageshow', this._onPageShow);
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    window.clearTimeout(this._starting);
    this._session.kernelChanged.disconnect(this._onKernel, this);
    this._session.statusChanged.disconnect(this._onStatus, this);
    this._session.connectionStatusChanged.disconnect(this._onConnection, this);
    this._session.iopubMessage.disconnect(this._onOutput, this);
    window.removeEventListener('pagehide', this._onPageHide);
    window.removeEventListener('pageshow', this._onPageShow);
  }

  private _onKernel(_: unknown, change: IKernelChange): void {
    if (isReplaced(change)) {
      this._handlers.replaced();
    }
  }

  private _onStatus(_: unknown, status: Kernel.Status): void {
    if (status === 'restarting' || status === 'autorestarting') {
      this._handlers.restarting();
    } else if (status === 'dead') {
      this._handlers.died();
    } else {
      this._handlers.lives(status);
    }
    if (status === 'idle' && this._touched) {
      this._touched = false;
      this._handlers.touched();
    }
  }

  private _onConnection(_: unknown, status: Kernel.ConnectionStatus): void {
    if (status === 'connected') {
      this._handlers.connected();
    } else {
      this._handlers.lost();
    }
  }

  private _onOutput(_: unknown, message: KernelMessage.IMessage): void {
    if (message.header.msg_type === 'execute_input') {
      const { code } = message.content as { code?: unknown };
      this._touched = this._touched || (typeof code === 'string' && code.includes('greennb'));
    }
  }

  private _onPageHide = (): void => this._handlers.hidden();

  private _onPageShow = (event: PageTransitionEvent): void => {
    if (event.persisted) {
      this._handlers.shown();
    }
  };

  private _starting = 0;
  private _touched = false;
  private _isDisposed = false;
}
