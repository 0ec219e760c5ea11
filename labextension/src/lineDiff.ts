/** What changes between two sources, line by line. */

export interface IDiffLine {
  sign: ' ' | '+' | '-';
  text: string;
}

/** More lines than this are not compared: the whole is shown as taken out and put in. */
const MOST_LINES = 600;

/** The lines of `before` and `after` in order, by their longest common subsequence. */
export function lineDiff(before: string, after: string): IDiffLine[] {
  const a = before.split('\n');
  const b = after.split('\n');
  if (a.length > MOST_LINES || b.length > MOST_LINES) {
    return [
      ...a.map((text): IDiffLine => ({ sign: '-', text })),
      ...b.map((text): IDiffLine => ({ sign: '+', text }))
    ];
  }
  const common = lengths(a, b);
  const lines: IDiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ sign: ' ', text: a[i] });
      i++;
      j++;
    } else if (j >= b.length || (i < a.length && common[i + 1][j] >= common[i][j + 1])) {
      lines.push({ sign: '-', text: a[i++] });
    } else {
      lines.push({ sign: '+', text: b[j++] });
    }
  }
  return lines;
}

/** The changed lines with `around` lines of what is about them; a gap is an empty line of its own. */
export function changesOnly(lines: readonly IDiffLine[], around = 2): IDiffLine[] {
  const near = lines.map((_, at) =>
    lines.slice(Math.max(0, at - around), at + around + 1).some(({ sign }) => sign !== ' ')
  );
  return lines.flatMap((line, at) => {
    if (near[at]) {
      return [line];
    }
    return at > 0 && near[at - 1] && near.indexOf(true, at) > 0
      ? [{ sign: ' ', text: '…' } as IDiffLine]
      : [];
  });
}

/** `[i][j]`: how long the longest common subsequence of `a` from i and `b` from j is. */
function lengths(a: readonly string[], b: readonly string[]): Uint16Array[] {
  const table = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i][j] = a[i] === b[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
    }
  }
  return table;
}
