/** Load greennb into a kernel without a line typed: a silent execution that leaves no name, no history and no output. */
import type { Kernel } from '@jupyterlab/services';

import { isRecord } from './checks';
import { plain } from './format';
import { VERSION } from './wire';

const ATTACH = "__import__('greennb.jupyter.attach', fromlist=['attach']).attach()";
const PYTHON = "__import__('sys').executable";

/** What came of it. `python` is the kernel's interpreter, "" where it did not say. */
export interface IAttached {
  outcome: 'loaded' | 'was-loaded' | 'not-installed' | 'too-old' | 'too-new' | 'failed';
  python: string;
  /** Why it failed; "" otherwise. */
  reason: string;
}

/** Waits as long as the kernel is busy. Rejects where the kernel goes away meanwhile. */
export async function attach(kernel: Kernel.IKernelConnection): Promise<IAttached> {
  const future = kernel.requestExecute({
    code: '',
    silent: true,
    store_history: false,
    allow_stdin: false,
    stop_on_error: false,
    user_expressions: { greennb: ATTACH, python: PYTHON }
  });
  const reply = await future.done;
  return read(reply.content);
}

/** What the reply to the execution says. */
export function read(content: object): IAttached {
  const { user_expressions: values, ename, evalue } = content as Record<string, unknown>;
  const value = isRecord(values) ? values.greennb : undefined;
  const python = isRecord(values) ? textOf(values.python) : '';
  if (!isRecord(value)) {
    return failed(python, `${ename ?? ''} ${evalue ?? 'The kernel did not say what came of it.'}`);
  }
  return value.status === 'ok' ? told(python, textOf(value)) : refused(python, value);
}

function told(python: string, text: string): IAttached {
  let said: unknown = null;
  try {
    said = JSON.parse(text);
  } catch {
    return failed(python, 'The kernel did not say what came of it.');
  }
  if (!isRecord(said) || typeof said.v !== 'number') {
    return { outcome: 'too-old', python, reason: '' };
  }
  if (said.v !== VERSION) {
    return { outcome: said.v > VERSION ? 'too-new' : 'too-old', python, reason: '' };
  }
  if (typeof said.problem === 'string' && said.problem !== '') {
    return failed(python, said.problem);
  }
  return { outcome: said.loaded === true ? 'was-loaded' : 'loaded', python, reason: '' };
}

function refused(python: string, { ename, evalue }: Record<string, unknown>): IAttached {
  const missing = /^No module named '([\w.]+)'/.exec(String(evalue));
  const shadowed = String(evalue).includes('is not a package');
  if (missing?.[1] === 'greennb') {
    return { outcome: 'not-installed', python, reason: '' };
  }
  if (missing?.[1].startsWith('greennb.') && !shadowed) {
    return { outcome: 'too-old', python, reason: '' };
  }
  return failed(python, `${ename}: ${evalue}`);
}

function failed(python: string, reason: string): IAttached {
  return { outcome: 'failed', python, reason: plain(reason, 300) };
}

/** The text that Python shows as its repr; "" where it shows none. */
function textOf(value: unknown): string {
  const data = isRecord(value) && isRecord(value.data) ? value.data['text/plain'] : undefined;
  const quoted = typeof data === 'string' ? /^(['"])([^]*)\1$/.exec(data.slice(0, 10_000)) : null;
  return quoted ? quoted[2].replace(/\\(['"\\])/g, '$1') : '';
}

/** The command that installs greennb for an interpreter, or upgrades it there. */
export function pipInstall(python: string, upgrade = false): string {
  const known = plain(python, 1000);
  const name = known === '' ? 'python' : /\s/.test(known) ? `"${known}"` : known;
  return `${name} -m pip install ${upgrade ? '--upgrade ' : ''}greennb`;
}
