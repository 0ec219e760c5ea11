/** What a measured trial showed; a saving stands nowhere else. */
import React from 'react';

import { joules, percent, seconds } from '../format';
import type { ITrial } from '../wire';
import { Foreign } from './controls';
import { quantity } from './findingWords';
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
    parts.push(paidWords(trial, break_even, trans));
  }
  return (
    <div className="gnb-Trial" aria-live="polite">
      <p>
        <b>{parts.join(' · ')}</b>
        {quality ? (
          <>
            {' '}
            <Foreign text={quality} width={600} />
          </>
        ) : null}
      </p>
      {trial.note ? (
        <p>
          <Foreign text={trial.note} width={600} />
        </p>
      ) : null}
      <Ways trial={trial} trans={trans} />
    </div>
  );
}

/** Both ways side by side: joules, seconds and memory of a unit, and what the trial itself took. */
function Ways({ trial, trans }: { trial: ITrial } & Pick<IPartProps, 'trans'>): JSX.Element | null {
  const { baseline: a, candidate: b, method, unit } = trial;
  if (a === null || b === null) {
    return null;
  }
  const rows: [string, string, string][] = [];
  const add = (
    name: string,
    one: number | null,
    two: number | null,
    words: (value: number) => string
  ): void => {
    if (one !== null && two !== null) {
      rows.push([name, words(one), words(two)]);
    }
  };
  const ofJoules = (value: number): string => joules(value, method);
  const items = a.joules_per_item !== null && b.joules_per_item !== null;
  if (items) {
    add(trans.__('joules an item'), a.joules_per_item, b.joules_per_item, ofJoules);
    add(trans.__('time an item'), a.seconds_per_item, b.seconds_per_item, seconds);
  } else {
    add(trans.__('joules a %1', unit || 'run'), a.joules_per_run, b.joules_per_run, ofJoules);
    add(trans.__('time a %1', unit || 'run'), a.seconds_per_run, b.seconds_per_run, seconds);
  }
  add(trans.__('peak memory'), a.peak_b, b.peak_b, bytes);
  add(trans.__('warming up'), a.apart_j, b.apart_j, ofJoules);
  return (
    <>
      <table className="gnb-Ways">
        <thead>
          <tr>
            <td />
            <th scope="col">{trans.__('as it is')}</th>
            <th scope="col">
              <Foreign text={trial.variant || trans.__('changed')} width={40} />
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, one, two]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{one}</td>
              <td>{two}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {trial.spent_s !== null ? (
        <p className="gnb-Trial-spent">
          {trial.spent_j === null
            ? trans.__('The trial took %1.', seconds(trial.spent_s))
            : trans.__('The trial took %1 and %2.', seconds(trial.spent_s), joules(trial.spent_j, method))}
        </p>
      ) : null}
    </>
  );
}

function bytes(value: number): string {
  return quantity(value, 'B', '');
}

/** When the trial's own joules are paid back, against what the cell has. */
function paidWords({ unit, units }: ITrial, break_even: number, trans: IPartProps['trans']): string {
  const count = Math.ceil(break_even);
  if (!unit || unit === 'run') {
    return trans.__('paid back after %1 runs', count);
  }
  const many = unitWords(unit, count, trans);
  return units === null
    ? trans.__('paid back after %1', many)
    : trans.__('paid back after %1; the cell had %2', many, Math.round(units));
}

function unitWords(unit: string, count: number, trans: IPartProps['trans']): string {
  switch (unit) {
    case 'step':
      return trans._n('1 step', '%1 steps', count);
    case 'call':
      return trans._n('1 call', '%1 calls', count);
    case 'fit':
      return trans._n('1 fit', '%1 fits', count);
    case 'turn':
      return trans._n('1 turn', '%1 turns', count);
    default:
      return trans._n('1 run', '%1 runs', count);
  }
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
