/** One attempt to meet greennb in a kernel, loading it where that is allowed. */
import type { Kernel } from '@jupyterlab/services';

import { CommClient, NoAnswer } from './commClient';
import { attach } from './linkAttach';
import type { IAttached } from './linkAttach';
import type { IDetails } from './linkStates';
import type { LinkKind } from './tokens';
import type { IHello, StreamMessage } from './wire';

/** After this long without an answer a user is told what is waited for. */
export const SLOW_MS = 2000;
/** Longer than this and an idle kernel does not answer a greeting. */
const GREETING_MS = 4000;
/** How long a kernel may take to say how it is before it is asked all the same. */
const SETTLE_MS = 1500;

export interface IHandshakeOptions {
  kernel: Kernel.IKernelConnection;
  /** Whether greennb may be loaded. */
  mayLoad: boolean;
  /** Whether the attempt is still wanted. */
  here(): boolean;
  /** The comms of this attempt, to be closed with it. */
  adopt(client: CommClient): void;
  /** greennb has just been loaded into the kernel. */
  loaded(): void;
  /** The kernel is busy, and answers later. */
  busy(): void;
  said(message: StreamMessage): void;
  /** The kernel has closed its comms after it had answered. */
  left(): void;
  /** The kernel speaks another version. */
  version(spoken: number): void;
}

/** greennb is there. */
export interface IMet {
  kind: 'met';
  hello: IHello;
}

/** Why nobody was met. */
export interface IUnmet {
  kind: LinkKind;
  details?: IDetails;
}

/** Rejects where the kernel goes away, or the attempt is not wanted any more. */
export async function handshake(options: IHandshakeOptions): Promise<IMet | IUnmet> {
  const { kernel, mayLoad } = options;
  const language = await languageOf(kernel);
  if (!/^i?python/i.test(language)) {
    return { kind: 'not-python', details: { language } };
  }
  await settled(kernel);
  // A busy kernel may have a subshell for the comms; an execution waits for the cell in any case. What a subshell does
  // makes the kernel's status idle while its cell still runs, so that it is kept from before.
  const wasBusy = kernel.status === 'busy';
  const there = mayLoad && !wasBusy ? null : await greet(options);
  if (there !== null || !mayLoad) {
    return there ? { kind: 'met', hello: there } : { kind: 'not-loaded' };
  }
  const { outcome, python, reason } = await load(options, wasBusy);
  if (outcome === 'loaded') {
    options.loaded();
  }
  if (outcome !== 'loaded' && outcome !== 'was-loaded') {
    return { kind: outcome, details: { python, reason } };
  }
  const hello = await greet(options);
  return hello ? { kind: 'met', hello } : { kind: 'failed' };
}

/** Why a kernel cannot be met now; null where it can. `begun` is whether one should be there by now. */
export function obstacleOf(
  kernel: Kernel.IKernelConnection | null,
  { begun, wasConnected }: { begun: boolean; wasConnected: boolean }
): LinkKind | null {
  if (kernel === null) {
    return begun ? 'no-kernel' : 'connecting';
  }
  if (kernel.status === 'dead' || kernel.isDisposed) {
    return 'dead';
  }
  if (kernel.status === 'restarting' || kernel.status === 'autorestarting') {
    return 'restarting';
  }
  if (kernel.connectionStatus !== 'connected') {
    return wasConnected ? 'disconnected' : 'connecting';
  }
  return null;
}

/** A kernel's language: of its specification, else what it says itself, which a busy kernel does later. */
async function languageOf(kernel: Kernel.IKernelConnection): Promise<string> {
  const spec = await kernel.spec.catch(() => undefined);
  return spec?.language ?? (await kernel.info).language_info.name;
}

/** Wait until a kernel that has just begun is idle, or dead, or silent for too long; one that is busy is busy. */
function settled(kernel: Kernel.IKernelConnection): Promise<void> {
  if (kernel.status === 'idle' || kernel.status === 'busy') {
    return Promise.resolve();
  }
  return new Promise(resolve => {
    const done = (): void => {
      window.clearTimeout(timer);
      kernel.statusChanged.disconnect(changed);
      resolve();
    };
    const changed = (_: unknown, status: Kernel.Status): void => {
      if (status === 'idle' || status === 'dead') {
        done();
      }
    };
    const timer = window.setTimeout(done, SETTLE_MS);
    kernel.statusChanged.connect(changed);
  });
}

async function load({ kernel, here, busy }: IHandshakeOptions, wasBusy: boolean): Promise<IAttached> {
  if (!here()) {
    throw new Error('This attempt is over.');
  }
  // Loading takes its time too, and makes the kernel busy itself: only what it was before counts.
  const wait_ms = wasBusy ? 0 : SLOW_MS;
  const slow = kernel.status === 'idle' && !wasBusy ? 0 : window.setTimeout(busy, wait_ms);
  try {
    return await attach(kernel);
  } finally {
    window.clearTimeout(slow);
  }
}

/** Open the comms and exchange greetings; null where the kernel has no greennb loaded. */
async function greet(options: IHandshakeOptions): Promise<IHello | null> {
  try {
    return await greetOver(options, true);
  } catch (error) {
    // JupyterLab may give a new comm a subshell that is being deleted for the one before, where nobody hears it.
    if (error instanceof NoAnswer && options.here()) {
      return greetOver(options, false);
    }
    throw error;
  }
}

async function greetOver(options: IHandshakeOptions, subshells: boolean): Promise<IHello | null> {
  const { kernel, here, adopt, busy, ...hears } = options;
  if (!here()) {
    throw new Error('This attempt is over.');
  }
  let met = false;
  let absent = (): void => undefined;
  const nobody = new Promise<null>(resolve => (absent = () => resolve(null)));
  const client = new CommClient(
    kernel,
    {
      said: hears.said,
      version: hears.version,
      closed: () => (met ? hears.left() : absent())
    },
    subshells
  );
  adopt(client);
  const slow = window.setTimeout(() => kernel.status !== 'idle' && busy(), SLOW_MS);
  try {
    await client.open();
    const answer = await Promise.race([client.ask('hello', {}, GREETING_MS), nobody]);
    met = answer?.type === 'hello';
    return answer?.type === 'hello' ? answer : null;
  } finally {
    window.clearTimeout(slow);
    if (!met) {
      client.dispose();
    }
  }
}
