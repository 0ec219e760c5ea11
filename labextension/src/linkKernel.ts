/** What a link has to know of a kernel before it speaks with it. */
import type { Kernel } from '@jupyterlab/services';

/** How long a new kernel may take to say that it is idle before it is asked all the same. */
const SETTLE_MS = 3000;

/** A kernel's language: of its specification, else what it says itself, which a busy kernel does later. */
export async function languageOf(kernel: Kernel.IKernelConnection): Promise<string> {
  const spec = await kernel.spec.catch(() => undefined);
  return spec?.language ?? (await kernel.info).language_info.name;
}

/** Wait until a kernel that has just begun is idle, or dead, or silent for too long; one that is busy is busy. */
export function settled(kernel: Kernel.IKernelConnection): Promise<void> {
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
