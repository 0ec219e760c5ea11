/** The states of a link in words: one plain sentence each, and the next step. */
import type { TranslationBundle } from '@jupyterlab/translation';

import { pipInstall } from './linkAttach';
import type { ILinkState, INotebookEnergy, LinkKind } from './tokens';

/** States from which running something with "greennb" in it may lead. */
export const CURABLE: ReadonlySet<LinkKind> = new Set<LinkKind>([
  'not-installed',
  'not-loaded',
  'too-old',
  'failed'
]);

/** States that a kernel passes through while it restarts. */
export const PASSING: ReadonlySet<LinkKind> = new Set<LinkKind>(['connecting', 'busy', 'disconnected']);

/** States in which a kernel tells nothing of its machine's power, and will not by itself. */
const WITHOUT_POWER: ReadonlySet<LinkKind> = new Set<LinkKind>(['no-kernel', 'not-python', 'not-installed']);

/** Whether no kernel tells of a machine, so that the server's own may be shown. */
export function withoutPower(energy: Pick<INotebookEnergy, 'hello' | 'state'> | null): boolean {
  return energy === null || (energy.hello === null && WITHOUT_POWER.has(energy.state.kind));
}

/** What a sentence may tell more of. */
export interface IDetails {
  /** The kernel's language. */
  language?: string;
  /** The kernel's interpreter. */
  python?: string;
  reason?: string;
  /** Whether every cell is measured. */
  measures?: boolean;
}

export function linkState(kind: LinkKind, trans: TranslationBundle, details: IDetails = {}): ILinkState {
  const state = (
    sentence: string,
    step: ILinkState['step'] = null,
    stepLabel = '',
    command = ''
  ): ILinkState => ({ kind, sentence, command, step, stepLabel });
  const { language = '', python = '', reason = '', measures = true } = details;
  switch (kind) {
    case 'no-kernel':
      return state(
        trans.__('This notebook has no kernel: nothing runs, and nothing can be measured.'),
        'start-kernel',
        trans.__('Choose a kernel')
      );
    case 'not-python':
      return state(
        language
          ? trans.__('greennb measures Python kernels; this notebook runs %1.', language)
          : trans.__('greennb measures Python kernels, and this is none.')
      );
    case 'not-installed':
      return state(
        trans.__('greennb is not installed in this kernel. Install it there, then look again:'),
        'retry',
        trans.__('Look again'),
        pipInstall(python)
      );
    case 'not-loaded':
      return state(
        trans.__('greennb is not loaded in this kernel, so nothing is measured.'),
        'load',
        trans.__('Load greennb')
      );
    case 'connecting':
      return state(trans.__('Connecting to greennb in the kernel.'));
    case 'busy':
      return state(
        trans.__('The kernel is busy with a cell, and answers once that has ended. Nothing is lost.')
      );
    case 'live':
      return measures
        ? state(trans.__('greennb measures this kernel.'))
        : state(
            trans.__('greennb is loaded, and measures only cells that begin with %1.', '%%energy'),
            'load',
            trans.__('Measure every cell')
          );
    case 'restarting':
      return state(trans.__('The kernel restarts. What was measured stays here.'));
    case 'dead':
      return state(
        trans.__('The kernel has died. What was measured stays here.'),
        'restart',
        trans.__('Restart the kernel')
      );
    case 'disconnected':
      return state(
        trans.__('The Jupyter server cannot be reached. This goes on by itself once it is back.'),
        'retry',
        trans.__('Try now')
      );
    case 'too-old':
      return state(
        trans.__(
          'greennb in this kernel is older than this page. Upgrade it there, then restart the kernel:'
        ),
        'restart',
        trans.__('Restart the kernel'),
        pipInstall(python, true)
      );
    case 'too-new':
      return state(
        trans.__(
          'greennb in this kernel is newer than this page. Upgrade it where JupyterLab runs, then reload the page:'
        ),
        'reload-page',
        trans.__('Reload the page'),
        pipInstall('', true)
      );
    case 'failed':
      return state(
        reason
          ? trans.__('greennb could not be loaded into this kernel: %1', reason)
          : trans.__('greennb could not be loaded into this kernel.'),
        'retry',
        trans.__('Try again')
      );
  }
}

/** What greennb did by itself, and how to have it otherwise. */
export function loadedItself(trans: TranslationBundle): string {
  return trans.__(
    'greennb loaded itself into this kernel to measure its cells. The setting "Load greennb by itself" turns that off.'
  );
}
