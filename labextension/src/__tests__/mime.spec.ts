import { readFileSync } from 'fs';
import { join } from 'path';

import { nullTranslator } from '@jupyterlab/translation';

import { card, lineWords } from '../mime/card';
import { draw } from '../mime/draw';
import { parseLines } from '../mime/lines';
import { parseShown } from '../mime/shown';
import { MIME_TYPE, parseMeasurement } from '../wire';

interface ICase {
  name: string;
  json: Record<string, unknown>;
  card: string;
  line: string;
}

const DATA = join(__dirname, '../../../tests/data');
const GOLDEN: ICase[] = JSON.parse(readFileSync(join(DATA, 'cards/cards.json'), 'utf-8'));
const trans = nullTranslator.load('greennb');

const compact = (text: string | null): string => (text ?? '').replace(/\s+/g, '');

function drawn(bundle: Record<string, unknown>): HTMLElement {
  const node = document.createElement('div');
  node.append(...draw(bundle, trans));
  return node;
}

function wire(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(DATA, `wire/${name}.json`), 'utf-8'));
}

describe('a card', () => {
  it.each(GOLDEN)('says what the HTML says: $name', ({ json, card: words, line }) => {
    const measurement = parseMeasurement(json);
    expect(measurement).not.toBeNull();
    const shown = parseShown(json);
    expect(compact(card(measurement!, parseLines(json), shown).textContent)).toBe(words);
    expect(compact(lineWords(measurement!, shown)).replace(/CO2e/g, 'CO₂e')).toBe(line);
  });

  it('hatches what is estimated, and only that', () => {
    expect(drawn({ [MIME_TYPE]: wire('counter'), 'text/html': '' }).querySelector('.gnb-mod-est')).toBeNull();
    const mixed = drawn({ [MIME_TYPE]: wire('mixed'), 'text/html': '' });
    const segments = Array.from(mixed.querySelectorAll('.gnb-Energy-bar i'), each => each.className);
    expect(segments).toEqual(['', 'gnb-mod-est']);
  });

  it('has one line of advice below it, and below a quiet line', () => {
    const advice = '<b>GNB201</b> loader: waits';
    const json = { ...wire('counter'), advice };
    for (const bundle of [{ [MIME_TYPE]: json, 'text/html': '' }, { [MIME_TYPE]: json }]) {
      const node = drawn(bundle);
      expect(node.textContent?.split(advice)).toHaveLength(2);
      expect(node.querySelector('b')?.textContent).not.toBe('GNB201');
    }
    expect(drawn({ [MIME_TYPE]: { ...json, advice: 3 }, 'text/html': '' }).textContent).not.toContain(
      'GNB201'
    );
  });

  it('shows hostile text as text', () => {
    const json = wire('hostile');
    json.faults = [
      { domain: null, reason: '<img src=x onerror=alert(1)>', hint: '<script>alert(1)</script>' }
    ];
    json.partial = true;
    const node = drawn({ [MIME_TYPE]: json, 'text/html': '<b>not read</b>' });
    expect(node.querySelector('img, script, b > *')).toBeNull();
    expect(node.textContent).toContain('<img src=x onerror=alert(1)>');
    expect(node.textContent).not.toContain('\u202e');
  });

  it('takes a kind of domain and numbers it does not know', () => {
    const json = wire('counter');
    (json.domains as Record<string, unknown>[])[0].kind = 'constructor';
    const node = drawn({ [MIME_TYPE]: json, 'text/html': '' });
    expect(node.querySelector('.gnb-Energy')).not.toBeNull();
    expect(node.textContent).toContain('constructor');
  });
});

describe('an output', () => {
  const line = '<div class="gnb-quiet" style="">…</div>';

  it('is one line where its HTML is, with the card behind it', () => {
    const node = drawn({ [MIME_TYPE]: wire('estimated'), 'text/html': line });
    const details = node.querySelector('details')!;
    expect(details.querySelector('summary')!.textContent).toContain('~41 J (28–60)');
    expect(node.querySelector('.gnb-Energy')).toBeNull();
    details.dispatchEvent(new Event('toggle'));
    details.dispatchEvent(new Event('toggle'));
    expect(node.querySelectorAll('.gnb-Energy')).toHaveLength(1);
  });

  it('is one line where it was only recorded, or asked to be quiet', () => {
    expect(drawn({ [MIME_TYPE]: wire('estimated') }).querySelector('details')).not.toBeNull();
    const asked = { ...wire('estimated'), shown: { quiet: true } };
    expect(drawn({ [MIME_TYPE]: asked, 'text/html': '<div>' }).querySelector('details')).not.toBeNull();
  });

  it('of a newer schema says so and shows all of its text', () => {
    const json = { ...wire('counter'), schema: 99 };
    const text = '41 J\n  In[3] line 1: <b>fit()</b>';
    const node = drawn({ [MIME_TYPE]: json, 'text/plain': text, 'text/html': '<b>41 J</b>' });
    expect(node.textContent).toContain('schema 99');
    expect(node.querySelector('pre')!.textContent).toBe(text);
    expect(node.querySelector('b')).toBeNull();
  });

  it.each([null, 7, 'text', [], {}, { schema: 1 }, { ...wire('counter'), duration_s: 'long' }])(
    'that is no measurement says so: %p',
    json => {
      const node = drawn({ [MIME_TYPE]: json, 'text/plain': ['a', 'b'] });
      expect(node.textContent).toContain('no greennb measurement');
      expect(node.querySelector('pre')!.textContent).toBe('ab');
    }
  );

  it('leaves out lines that are not as they should be, and shows the rest', () => {
    const json = wire('lines');
    (json.lines as { lines: unknown[] }).lines[0] = { where: 7 };
    const node = drawn({ [MIME_TYPE]: json, 'text/html': '' });
    expect(node.querySelector('.gnb-Energy')).not.toBeNull();
    expect(node.querySelector('.gnb-Energy-lines')).toBeNull();
  });
});
