/** What changes between two sources, line by line. */
import { readFileSync } from 'fs';
import { join } from 'path';

import { changesOnly, lineDiff } from '../lineDiff';

const PLAN = join(__dirname, '../../../tests/data/messages/plan.json');

describe('a difference of lines', () => {
  const words = (before: string, after: string): string[] =>
    lineDiff(before, after).map(({ sign, text }) => `${sign}${text}`);

  it.each([
    ['a\nb', 'a\nb', [' a', ' b']],
    ['a\nc', 'a\nb\nc', [' a', '+b', ' c']],
    ['a\nb\nc', 'a\nc', [' a', '-b', ' c']],
    ['a\nb\nc', 'a\nx\nc', [' a', '-b', '+x', ' c']],
    ['a\nb', 'b\na', ['-a', ' b', '+a']],
    ['', 'a', ['-', '+a']]
  ])('of %j and %j keeps what is common', (before, after, expected) => {
    expect(words(before, after)).toEqual(expected);
  });

  it('gives back both sources, whatever they are', () => {
    const { before, after } = JSON.parse(readFileSync(PLAN, 'utf8')).change;
    const lines = lineDiff(before, after);
    const without = (sign: string): string =>
      lines
        .filter(line => line.sign !== sign)
        .map(({ text }) => text)
        .join('\n');
    expect([without('+'), without('-')]).toEqual([before, after]);
  });

  it('of very long cells is the whole, out and in', () => {
    const long = Array.from({ length: 700 }, (_, at) => `line ${at}`).join('\n');
    const lines = lineDiff(long, `${long}\nmore`);
    expect(lines.map(({ sign }) => sign).join('')).toBe('-'.repeat(700) + '+'.repeat(701));
  });

  it('is shown with two lines about it, and a mark for what is left out between', () => {
    const before = Array.from('abcdefghijklm').join('\n');
    const shown = changesOnly(lineDiff(before, before.replace('d', 'D').replace('k', 'K')));
    expect(shown.map(({ sign, text }) => sign + text)).toEqual([
      ...[' b', ' c', '-d', '+D', ' e', ' f', ' …', ' i', ' j', '-k', '+K', ' l', ' m']
    ]);
    expect(changesOnly(lineDiff('a\nb', 'a\nb'))).toEqual([]);
  });
});
