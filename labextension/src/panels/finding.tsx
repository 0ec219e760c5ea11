/** One finding of the advisor: where, what is at stake, what to change, and on what it stands. */
import React, { useId, useState } from 'react';

import { plain } from '../format';
import type { IFinding } from '../wire';
import { CodeOf, Fold, Foreign, TextButton } from './controls';
import { quantity, sourceParts, stakeMeaning, stakeWords } from './findingWords';
import { useFold } from './folds';
import type { IPartProps } from './part';
import { Trial } from './trial';
import { Apply, TryIt } from './tryIt';

export interface IFindingProps extends IPartProps {
  finding: IFinding;
  /** Names it among the cards. */
  name: string;
  /** Whether it is open when it is first seen. */
  initially: boolean;
  dismiss(always: boolean): void;
}

export function FindingCard(props: IFindingProps): JSX.Element {
  const { finding, name, energy, trans } = props;
  const [open, setOpen] = useFold(energy, `finding ${name}`, props.initially);
  const id = useId();
  return (
    <article className={`gnb-Card gnb-Finding ${lookOf(finding)}`} aria-labelledby={id}>
      <Where {...props} />
      <h3>
        <Fold id={id} open={open} onToggle={setOpen}>
          <span>
            <Foreign text={finding.name} width={120} />
            {finding.subject ? (
              <>
                {' '}
                <Foreign className="gnb-Subject" text={finding.subject} width={40} />
              </>
            ) : null}
          </span>
        </Fold>
      </h3>
      {finding.trial ? <Trial trial={finding.trial} trans={trans} /> : null}
      {finding.trial ? <Apply {...props} trial={finding.trial} /> : null}
      <Stake {...props} />
      <TryIt {...props} />
      {open ? <Body {...props} /> : null}
    </article>
  );
}

function lookOf({ trial, severity }: IFinding): string {
  if (trial?.verdict === 'saves') {
    return 'gnb-mod-good';
  }
  return severity === 'act' ? 'gnb-mod-warn' : '';
}

/** The cell that it is about, how many more, and how loudly the rule speaks. */
function Where({ finding, energy, trans }: IFindingProps): JSX.Element {
  const [gone, setGone] = useState(false);
  const cell = energy.cells.find(({ id }) => id === finding.cell_id);
  const count = cell?.run.measurement.execution_count ?? finding.execution_count;
  const place = count === null ? trans.__('Cell') : `[${count}]`;
  const more = finding.cells - 1;
  return (
    <p className="gnb-Where">
      <span>
        {finding.cell_id === null ? (
          count === null ? null : (
            place
          )
        ) : (
          <button
            type="button"
            className="gnb-Link"
            title={trans.__('Go to this cell')}
            onClick={() => setGone(!energy.jumpTo(finding.cell_id!))}
          >
            {place}
          </button>
        )}
        {more > 0 ? (
          <> {more === 1 ? trans.__('and 1 more cell') : trans.__('and %1 more cells', more)}</>
        ) : null}
        {gone ? <span role="status"> {trans.__('This cell is gone.')}</span> : null}
      </span>
      <span className="gnb-Severity">{finding.severity === 'act' ? trans.__('act') : trans.__('note')}</span>
    </p>
  );
}

/** What ran through what would change, and on demand what that means. */
function Stake({ finding, name, model, energy, trans }: IFindingProps): JSX.Element | null {
  const [open, setOpen] = useFold(energy, `stake ${name}`);
  const id = useId();
  const words = stakeWords(finding, model.settings.units, trans);
  if (words === null) {
    return null;
  }
  const meaning = stakeMeaning(trans);
  return (
    <>
      <p className="gnb-Stake">
        <button
          type="button"
          className="gnb-Term"
          title={meaning}
          aria-expanded={open}
          aria-controls={open ? id : undefined}
          onClick={() => setOpen(!open)}
        >
          {trans.__('At stake')}
        </button>{' '}
        <b>{words[0]}</b> {words[1]}
      </p>
      {open ? (
        <p id={id} className="gnb-Meaning">
          {meaning}
        </p>
      ) : null}
    </>
  );
}

function Body(props: IFindingProps): JSX.Element {
  const { finding, name, energy, trans, dismiss } = props;
  return (
    <>
      <p>
        <Foreign text={finding.suggestion} width={600} />
      </p>
      <Evidence finding={finding} />
      <WhenNot {...props} />
      {finding.code_change ? (
        <CodeOf code={finding.code_change} fold={name} {...{ energy, trans }}>
          <TextButton
            title={trans.__('Put the code into a new cell below; it is not run')}
            onClick={() => energy.insertCode(finding.code_change, finding.cell_id)}
          >
            {trans.__('Insert')}
          </TextButton>
        </CodeOf>
      ) : null}
      <p className="gnb-Card-source">
        <span title={trans.__('%1 prints the page of this rule', `greennb rules ${plain(finding.code, 20)}`)}>
          <Foreign text={finding.code} width={20} />
        </span>
        {finding.source ? (
          <>
            {' · '}
            <Source text={finding.source} trans={trans} />
          </>
        ) : null}
      </p>
      <p className="gnb-Card-dismiss">
        <button type="button" className="gnb-Link" onClick={() => dismiss(false)}>
          {trans.__('Dismiss')}
        </button>{' '}
        <button
          type="button"
          className="gnb-Link"
          title={trans.__('Never show %1 in this notebook again', plain(finding.code, 20))}
          onClick={() => dismiss(true)}
        >
          {trans.__('Never in this notebook')}
        </button>
      </p>
    </>
  );
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
            <Foreign text={quantity(value, unit, name)} width={40} />
          </dd>
        </React.Fragment>
      ))}
    </dl>
  ) : null;
}

/** Where the advice would be wrong, folded. */
function WhenNot({ finding, name, energy, trans }: IFindingProps): JSX.Element | null {
  const [open, setOpen] = useFold(energy, `not ${name}`);
  return finding.wrong_when.length ? (
    <div className="gnb-WhenNot">
      <Fold open={open} onToggle={setOpen}>
        {trans.__('When not')}
      </Fold>
      {open ? (
        <ul aria-label={trans.__('Not where')}>
          {finding.wrong_when.map((clause, index) => (
            <li key={index}>
              <Foreign text={clause} />
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  ) : null;
}

/** Where the rule's claim comes from; an address on the web is a link, called by the place that it leads to. */
function Source({ text, trans }: { text: string } & Pick<IPartProps, 'trans'>): JSX.Element {
  return (
    <>
      {sourceParts(text).map((part, index) =>
        part.url === null ? (
          <bdi key={index}>{part.text}</bdi> // plain already
        ) : (
          <a
            key={index}
            className="gnb-Link"
            href={part.url}
            title={part.url}
            target="_blank"
            rel="noopener noreferrer"
            aria-label={trans.__('%1, in a new tab', part.text)}
          >
            {part.text}
          </a>
        )
      )}
    </>
  );
}
