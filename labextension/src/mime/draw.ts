/** What an output's bundle looks like. */
import type { TranslationBundle } from '@jupyterlab/translation';

import { MIME_TYPE, parseMeasurement, SCHEMA } from '../wire';
import { card, lineWords } from './card';
import { element, foreign, subscripted } from './dom';
import { parseLines } from './lines';
import { parseShown } from './shown';

/** Characters of a text that stands in for what cannot be drawn. */
const LONGEST_TEXT = 20_000;

/** The page's view of a bundle, from its JSON alone; see {@link unreadable} for what has none that can be read. */
export function draw(bundle: Readonly<Record<string, unknown>>, trans: TranslationBundle): Node[] {
  const json = bundle[MIME_TYPE];
  const measurement = parseMeasurement(json);
  if (measurement === null) {
    return unreadable(json, bundle['text/plain'], trans);
  }
  const shown = parseShown(json);
  const make = (): HTMLElement => card(measurement, parseLines(json), shown);
  if (!shown.quiet && !isQuiet(bundle)) {
    return [make()];
  }
  const advice = shown.advice ? [element('div', 'gnb-OneLine-advice', foreign(shown.advice))] : [];
  return [folded(lineWords(measurement, shown), make), ...advice];
}

/** A bundle that has nothing but the JSON is a record; one whose HTML is a line wants to be a line. */
function isQuiet(bundle: Readonly<Record<string, unknown>>): boolean {
  const html = bundle['text/html'];
  return html === undefined || (typeof html === 'string' && html.startsWith('<div class="gnb-quiet"'));
}

/** One line, with the card behind it, made when it is first asked for. */
function folded(line: string, make: () => HTMLElement): HTMLElement {
  const node = element('details', 'gnb-OneLine', element('summary', '', foreign(subscripted(line))));
  node.addEventListener('toggle', () => node.append(make()), { once: true });
  return node;
}

/** A sentence on why there is no card, and the text that the kernel wrote for readers like this one. */
function unreadable(json: unknown, text: unknown, trans: TranslationBundle): Node[] {
  const schema =
    typeof json === 'object' && json !== null ? (json as { schema?: unknown }).schema : undefined;
  const sentence =
    typeof schema === 'number' && schema > SCHEMA
      ? trans.__(
          'This measurement was written by a newer greennb (schema %1, this page reads %2): upgrade greennb in JupyterLab.',
          schema,
          SCHEMA
        )
      : trans.__('This output is no greennb measurement that can be read.');
  const node = element('p', 'gnb-Output-unreadable', sentence);
  const plain = Array.isArray(text) ? text.join('') : text;
  return typeof plain === 'string' && plain
    ? [node, element('pre', 'gnb-Output-text', plain.slice(0, LONGEST_TEXT))]
    : [node];
}
