/** What would make this notebook cheaper: what idles away, and what the advisor found. */
import React, { useState } from 'react';

import { joules, percent, watts } from '../format';
import type { IFinding, ITrial, IWaste } from '../wire';
import { Copyable, Foreign, TextButton } from './controls';
import { useSignal } from './hooks';
import type { IPartProps } from './part';
import { wholeTime } from './text';

const ADVICE_MS = 1000;

export function Advice(props: IPartProps): JSX.Element {
  const { energy, trans } = props;
  useSignal(energy.adviceChanged, ADVICE_MS);
  const { waste, findings } = energy;
  if (waste.length === 0 && findings.length === 0) {
    return (
      <p className="gnb-Empty">
        {trans.__('Nothing to say: nothing idles away energy, and no cell has a known cheaper way.')}
      </p>
    );
  }
  return (
    <>
      {waste.map(item => (
        <WasteCard key={`${item.kind} ${item.domain} ${item.label}`} item={item} {...props} />
      ))}
      {findings.map(finding => (
        <FindingCard key={`${finding.code} ${finding.cell_id}`} finding={finding} {...props} />
      ))}
    </>
  );
}

function WasteCard({ item, energy, trans }: IPartProps & { item: IWaste }): JSX.Element {
  const soFar =
    item.joules === null ? '' : trans.__('So far, as watched: %1.', joules(item.joules, item.method));
  const idle = wholeTime(item.seconds < 60 ? item.seconds : Math.floor(item.seconds / 60) * 60);
  return (
    <article className="gnb-Card gnb-mod-warn">
      <h3>
        <Foreign text={item.label} width={60} />:{' '}
        {item.watts === null
          ? trans.__('nothing has run for %1', idle)
          : trans.__('%1 for %2, nothing runs', watts(item.watts, item.method), idle)}
      </h3>
      <p>
        <Foreign text={item.why} /> {soFar}
      </p>
      {item.code ? (
        <Code code={item.code} trans={trans}>
          <TextButton primary onClick={() => energy.insertCode(item.code)}>
            {trans.__('Insert release code')}
          </TextButton>
        </Code>
      ) : null}
    </article>
  );
}

function FindingCard({ finding, energy, trans }: IPartProps & { finding: IFinding }): JSX.Element {
  const cell = energy.cells.find(({ id }) => id === finding.cell_id);
  const count = cell?.run.measurement.execution_count ?? null;
  return (
    <article className={`gnb-Card ${lookOf(finding)}`}>
      <h3>
        {finding.cell_id ? (
          <button type="button" className="gnb-Link" onClick={() => energy.jumpTo(finding.cell_id!)}>
            {count === null ? trans.__('Cell') : `[${count}]`}
          </button>
        ) : null}{' '}
        <Foreign text={finding.name} width={120} />
      </h3>
      {finding.trial ? <Trial trial={finding.trial} trans={trans} /> : null}
      <p>
        <Foreign text={finding.suggestion} width={600} />
      </p>
      <Evidence finding={finding} />
      <Code code={finding.code_change} trans={trans}>
        {finding.code_change ? (
          <TextButton
            title={trans.__('Put the code into a new cell; it is not run')}
            onClick={() => energy.insertCode(finding.code_change)}
          >
            {trans.__('Insert')}
          </TextButton>
        ) : null}
        <TextButton onClick={() => energy.dismiss(finding, false)}>{trans.__('Dismiss')}</TextButton>
        <TextButton
          title={trans.__('Never show %1 in this notebook again', finding.code)}
          onClick={() => energy.dismiss(finding, true)}
        >
          {trans.__('Never here')}
        </TextButton>
      </Code>
      <p className="gnb-Card-source gnb-Quiet">
        <Foreign text={finding.code} width={20} /> · <Foreign text={finding.source} />
      </p>
    </article>
  );
}

function lookOf({ trial, severity }: IFinding): string {
  if (trial?.verdict === 'saves') {
    return 'gnb-mod-good';
  }
  return severity === 'act' ? 'gnb-mod-warn' : '';
}

function Evidence({ finding }: { finding: IFinding }): JSX.Element | null {
  return finding.evidence.length ? (
    <dl className="gnb-Evidence">
      {finding.evidence.map(({ name, value, unit }, index) => (
        <React.Fragment key={index}>
          <dt>
            <Foreign text={name} width={60} />
          </dt>
          <dd>
            <Foreign text={evidenceWords(value, unit)} width={40} />
          </dd>
        </React.Fragment>
      ))}
    </dl>
  ) : null;
}

/** A number with its unit; the unit "1" is none. */
function evidenceWords(value: number | null, unit: string): string {
  if (value === null) {
    return '–';
  }
  return `${Number(value.toPrecision(4))} ${unit === '1' ? '' : unit}`.trimEnd();
}

/** What a measured trial showed; a saving stands nowhere else. */
function Trial({ trial, trans }: { trial: ITrial } & Pick<IPartProps, 'trans'>): JSX.Element {
  const { verdict, ratio, interval, quality, break_even } = trial;
  const parts = [verdictWords(verdict, ratio, trans)];
  if (interval) {
    const saved = verdict === 'saves';
    const ends = interval.map(end => (saved ? 1 - end : end - 1)).sort((one, other) => one - other);
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

/** Buttons of a card, and its code once somebody wants to see it. */
function Code(props: { code: string; trans: IPartProps['trans']; children: React.ReactNode }): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <>
      <div className="gnb-Card-buttons">
        {props.code ? (
          <button type="button" className="gnb-Button" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? props.trans.__('Hide code') : props.trans.__('Show code')}
          </button>
        ) : null}
        {props.children}
      </div>
      {open ? <Copyable text={props.code} trans={props.trans} /> : null}
    </>
  );
}
