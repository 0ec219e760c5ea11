/** Says to a screen reader, once, that the advisor has found something new. There is nothing to see. */
import React, { useRef } from 'react';

import { findingKey } from '../dismissals';
import { plain } from '../format';
import type { IFinding } from '../wire';
import { useSignal } from './hooks';
import type { IPartProps } from './part';

/** Findings of cells that end in quick succession are said together. */
const TOGETHER_MS = 2000;

export function NewFindings({ energy, trans }: IPartProps): JSX.Element {
  useSignal(energy.adviceChanged, TOGETHER_MS);
  const known = useRef(new Set<string>());
  const said = useRef('');
  const fresh = energy.findings.filter(finding => !known.current.has(findingKey(finding)));
  if (fresh.length > 0) {
    fresh.forEach(finding => known.current.add(findingKey(finding)));
    said.current = newWords(fresh, trans);
  }
  return (
    <p className="gnb-mod-unseen" role="status">
      {said.current}
    </p>
  );
}

function newWords(fresh: readonly IFinding[], trans: IPartProps['trans']): string {
  const [{ name, subject }] = fresh;
  const dearest = plain(subject ? `${name}, ${subject}` : name, 160);
  return fresh.length === 1
    ? trans.__('New advice: %1.', dearest)
    : trans.__('%1 new pieces of advice. The most at stake: %2.', fresh.length, dearest);
}
