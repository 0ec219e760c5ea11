/** How a notebook comes by its kernel again: with the server that was away, or with a new process. */
import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';

/** Between two attempts of two minutes each: a server that is away is not to be flooded. */
const AGAIN_MS = 30_000;

/** Tries to reach a kernel's server again and again: JupyterLab itself gives up after two minutes. */
export class Reach implements IDisposable {
  /** Goes on as long as `wanted`. */
  constructor(
    private readonly _kernel: () => Kernel.IKernelConnection | null,
    private readonly _wanted: () => boolean
  ) {}

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Try at once, and then every now and then. */
  async now(): Promise<void> {
    this.stop();
    try {
      await this._kernel()?.reconnect();
    } catch {
      // The server is still away; the link's state says so already.
    }
    this.later();
  }

  /** Try every now and then. */
  later(): void {
    this.stop();
    if (this._wanted() && !this._isDisposed) {
      this._timer = window.setTimeout(() => void this.now(), AGAIN_MS);
    }
  }

  stop(): void {
    window.clearTimeout(this._timer);
  }

  dispose(): void {
    this._isDisposed = true;
    this.stop();
  }

  private _timer = 0;
  private _isDisposed = false;
}

/** Restart the kernel, after asking; one that has died is replaced by a new one of its kind. */
export async function restart(session: ISessionContext, dialogs: ISessionContext.IDialogs): Promise<void> {
  const kernel = session.session?.kernel;
  if (kernel && kernel.status !== 'dead' && !kernel.isDisposed) {
    await dialogs.restart(session);
    return;
  }
  // The server has forgotten the session with its kernel: it takes a new one.
  const name = kernel?.name ?? session.prevKernelName;
  await session.shutdown().catch(() => undefined);
  await session.changeKernel({ name });
}
