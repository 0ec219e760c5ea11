/** What a measured trial showed; a saving stands nowhere else. */
import React from 'react';

import { percent } from '../format';
import type { ITrial } from '../wire';
import { Foreign } from './controls';
import type { IPartProps } from './part';

export function Trial({ trial, trans }: { trial: ITrial } & Pick<IPartProps, 'trans'>): JSX.Element {
  const { verdict, ratio, interval, quality, break_even } = trial;
  const parts = [verdictWords(verdict, ratio, trans)];
  const known = interval?.filter((end): end is number => end !== null) ?? [];
  if (known.length === 2) {
    const saved = verdict === 'saves';
    const ends = known.map(end => (saved ? 1 - end : end - 1)).sort((one, other) => one - other);
    parts.push(trans.__('95 %: %1 to %2', percent(ends[0], !saved), percent(ends[1], !saved)));
  }
  if (break_even !== null) {
    parts.push(trans.__('paid back after %1 runs', Math.ceil(break_even)));
  }
  return (
    <p className="gnb-Trial">
      <b>{parts.join(' · ')}</b>
      {quality ? (
        <>
          {' '}
          <Foreign text={quality} />
        </>
      ) : null}
    </p>
  );
}

function verdictWords(verdict: ITrial['verdict'], ratio: number | null, trans: IPartProps['trans']): string {
  const size = ratio === null ? '' : percent(Math.abs(1 - ratio));
  switch (verdict) {
    case 'saves':
      return size ? trans.__('Saves %1 here', size) : trans.__('Saves energy here');
    case 'costs more':
      return size ? trans.__('Costs %1 more here', size) : trans.__('Costs more here');
    case 'no difference shown':
      return trans.__('No difference shown');
    case 'cannot tell':
      return trans.__('The trial cannot tell');
  }
}
