/** A trial on a finding's card: what it would run, how far it is, how it ended; and its change, put into the cell. */
import React, { useState } from 'react';

import { interval as range, joules, percent, seconds } from '../format';
import { changesOnly, lineDiff } from '../lineDiff';
import type { IApplied } from '../tokensTrial';
import type { IChangeOfCell, IFinding, IPlan, ITrial, ITrialMessage } from '../wire';
import { Foreign, Segmented, TextButton } from './controls';
import { useSignal } from './hooks';
import type { IPartProps } from './part';

const CODE_WIDTH = 200;

export interface ITryProps extends IPartProps {
  finding: IFinding;
}

export function TryIt(props: ITryProps): JSX.Element | null {
  const { finding, energy, trans } = props;
  const { trials } = energy;
  useSignal(trials.changed);
  const stage = trials.stage(finding.key);
  const live = energy.state.kind === 'live' || energy.state.kind === 'busy';
  switch (stage.kind) {
    case 'none':
      return finding.can_try && live ? <Offer {...props} /> : null;
    case 'planning':
      return <p role="status">{trans.__('Asking what would be run…')}</p>;
    case 'planned':
      return <Plan {...props} plan={stage.plan} />;
    case 'running':
      return <Running {...props} message={stage.message} budget_s={stage.budget_s} />;
    case 'ended':
      return (
        <div className="gnb-Try">
          <p role="status" className={stage.state === 'void' ? 'gnb-mod-error' : undefined}>
            <b>{endWords(stage.state, trans)}</b> <Foreign text={stage.words} width={600} />
          </p>
          <TextButton onClick={() => trials.cancel(finding.key)}>{trans.__('Close')}</TextButton>
        </div>
      );
  }
}

function Offer({ finding, energy, trans }: ITryProps): JSX.Element {
  return (
    <TextButton
      title={trans.__('Says first what would be run; nothing is run before you say so')}
      onClick={() => void energy.trials.plan(finding.key)}
    >
      {finding.trial === null ? trans.__('Try it') : trans.__('Try it again')}
    </TextButton>
  );
}

function Plan({ plan, finding, energy, trans }: ITryProps & { plan: IPlan }): JSX.Element {
  const { trials } = energy;
  useSignal(energy.cellsChanged);
  const other = trials.runningKey !== null;
  const waits = energy.running !== null; // a cell that is not measured is waited for as well, in the kernel
  const reason = other
    ? trans.__('Another trial runs.')
    : waits
      ? trans.__('A cell runs: the trial can begin once it has ended.')
      : '';
  return (
    <section className="gnb-Try" aria-label={trans.__('What the trial would run')}>
      {plan.variants.length > 1 ? (
        <Segmented
          label={trans.__('What is tried')}
          choices={plan.variants.map(value => ({ value, label: value }))}
          value={plan.variant}
          onChange={variant => void trials.plan(finding.key, variant)}
        />
      ) : null}
      {plan.words.map((words, index) => (
        <p key={index}>
          <Foreign text={words} width={600} />
        </p>
      ))}
      <Diff change={plan.change} trans={trans} />
      {reason ? <p role="status">{reason}</p> : null}
      <p className="gnb-Buttons">
        <TextButton primary disabled={reason !== ''} onClick={() => void trials.run(plan)}>
          {trans.__('Run the trial')}
        </TextButton>{' '}
        <TextButton onClick={() => trials.cancel(finding.key)}>{trans.__('Cancel')}</TextButton>
      </p>
    </section>
  );
}

type IRunning = ITryProps & { message: ITrialMessage | null; budget_s: number };

function Running({ message, budget_s, energy, trans }: IRunning): JSX.Element {
  const [stopping, setStopping] = useState(false);
  const spent_s = message?.spent_s ?? 0;
  const part = budget_s > 0 ? Math.min(1, spent_s / budget_s) : 0;
  return (
    <section className="gnb-Try" aria-label={trans.__('The trial runs')}>
      <div
        className="gnb-Progress"
        role="progressbar"
        aria-label={trans.__('Time of the trial')}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(100 * part)}
      >
        <div style={{ width: `${100 * part}%` }} />
      </div>
      <p>
        {phaseWords(message?.phase ?? '', trans)}
        {message ? ` · ${trans.__('%1 of at most %2', seconds(spent_s), seconds(budget_s))}` : ''}
        {message?.spent_j != null ? ` · ${joules(message.spent_j, message.method)}` : ''}
        {message?.rounds ? ` · ${trans._n('1 round', '%1 rounds', message.rounds)}` : ''}
      </p>
      {message?.ratio != null ? <p>{soFarWords(message, trans)}</p> : null}
      <TextButton
        disabled={stopping}
        onClick={() => {
          setStopping(true);
          void energy.trials.stop();
        }}
      >
        {stopping ? trans.__('Stopping…') : trans.__('Stop')}
      </TextButton>
    </section>
  );
}

/** What a trial that saved here allows: its change in the cell, and back. Nothing is run by it. */
export function Apply(props: ITryProps & { trial: ITrial }): JSX.Element | null {
  const { finding, trial, energy, trans } = props;
  const { trials } = energy;
  useSignal(trials.changed);
  const [open, setOpen] = useState(false);
  const [why, setWhy] = useState('');
  const { change } = trial;
  const applied = trials.applied(finding.key);
  if (applied !== null) {
    return <Applied {...{ energy, trans, applied }} />;
  }
  if (change === null || trial.verdict !== 'saves' || trial.quality_good === false) {
    return null;
  }
  return (
    <div className="gnb-Try">
      {open ? <Diff change={change} trans={trans} /> : null}
      <p className="gnb-Buttons">
        {open ? (
          <>
            <TextButton
              primary
              onClick={() => {
                setWhy(trials.apply(finding, change));
                setOpen(false);
              }}
            >
              {trans.__('Put it into the cell')}
            </TextButton>{' '}
            <TextButton onClick={() => setOpen(false)}>{trans.__('Cancel')}</TextButton>
          </>
        ) : (
          <TextButton
            primary
            title={trans.__('Shows the change first; the cell is not run')}
            onClick={() => setOpen(true)}
          >
            {trans.__('Apply')}
          </TextButton>
        )}
      </p>
      {why ? <p role="status">{why}</p> : null}
    </div>
  );
}

/** What was applied of findings that are gone since: the cell has run with the change. */
export function AppliedCards({ energy, trans }: IPartProps): JSX.Element {
  const { trials, findings } = energy;
  useSignal(trials.changed);
  const gone = trials.allApplied.filter(({ key }) => findings.every(finding => finding.key !== key));
  return (
    <>
      {gone.map(applied => (
        <article key={applied.key} className="gnb-Card gnb-mod-good" aria-label={applied.name}>
          <h3>
            <Foreign text={applied.name} width={120} />
          </h3>
          <Applied {...{ energy, trans, applied }} />
          <p className="gnb-Card-dismiss">
            <button type="button" className="gnb-Link" onClick={() => trials.forgetApplied(applied.key)}>
              {trans.__('Dismiss')}
            </button>
          </p>
        </article>
      ))}
    </>
  );
}

type IAppliedProps = Pick<IPartProps, 'energy' | 'trans'> & { applied: IApplied };

function Applied({ applied, energy, trans }: IAppliedProps): JSX.Element {
  useSignal(energy.cellsChanged);
  const [why, setWhy] = useState('');
  const cell = energy.cells.find(({ id }) => id === applied.change.cell_id);
  const ran = cell !== undefined && cell.run.t0_s !== applied.before?.t0_s;
  return (
    <div className="gnb-Try" role="status">
      <p>
        <b>{trans.__('Applied.')}</b>{' '}
        {ran
          ? savedWords(cell.run.measurement, applied, trans)
          : trans.__('Run the cell to see what it costs now.')}
      </p>
      <TextButton onClick={() => setWhy(energy.trials.undo(applied.key))}>{trans.__('Undo')}</TextButton>
      {why ? <p>{why}</p> : null}
    </div>
  );
}

function Diff({ change, trans }: { change: IChangeOfCell } & Pick<IPartProps, 'trans'>): JSX.Element {
  return (
    <pre className="gnb-Diff" tabIndex={0} aria-label={trans.__('The change of the cell')}>
      {changesOnly(lineDiff(change.before, change.after)).map(({ sign, text }, index) => (
        <div key={index} className={sign === '+' ? 'gnb-mod-in' : sign === '-' ? 'gnb-mod-out' : undefined}>
          {sign} <bdi>{text.length > CODE_WIDTH ? `${text.slice(0, CODE_WIDTH)}…` : text}</bdi>
        </div>
      ))}
    </pre>
  );
}

type Trans = IPartProps['trans'];

/** Two single runs, said as such. */
function savedWords(
  now: { total_j: number | null; low_j: number | null; high_j: number | null; method: ITrial['method'] },
  { before }: IApplied,
  trans: Trans
): string {
  const then = before?.measurement ?? null;
  if (now.total_j === null || then === null || then.total_j === null) {
    return trans.__('One of the two runs was not measured.');
  }
  const told = trans.__(
    'This run: %1 (%2); the one before: %3 (%4).',
    joules(now.total_j, now.method),
    range(now.low_j, now.high_j),
    joules(then.total_j, then.method),
    range(then.low_j, then.high_j)
  );
  const less = then.total_j > 0 ? now.total_j / then.total_j - 1 : null;
  const apart =
    now.high_j !== null && then.low_j !== null && now.low_j !== null && then.high_j !== null
      ? now.high_j < then.low_j || now.low_j > then.high_j
      : false;
  const size = less === null ? '' : percent(less, true);
  const much = apart
    ? trans.__('%1, of two single runs.', size)
    : trans.__('%1; of two single runs, by their intervals, they can’t be told apart.', size);
  return `${told} ${much}`;
}

function soFarWords({ ratio, interval, rounds }: ITrialMessage, trans: Trans): string {
  const size = percent((ratio ?? 1) - 1, true);
  const [low, high] = interval ?? [null, null];
  const ends =
    low === null || high === null ? '' : ` (${percent(low - 1, true)} … ${percent(high - 1, true)})`;
  return rounds > 0 ? trans.__('So far: %1 joules%2', size, ends) : '';
}

function phaseWords(phase: string, trans: Trans): string {
  switch (phase) {
    case 'copying':
      return trans.__('Copying what the cell uses');
    case 'warming up':
      return trans.__('Warming up');
    case 'measuring':
      return trans.__('Measuring by turns');
    case 'judging':
      return trans.__('Looking at quality');
    case 'checking':
      return trans.__('Checking that nothing has changed');
    default:
      return trans.__('Beginning');
  }
}

function endWords(state: ITrialMessage['state'], trans: Trans): string {
  switch (state) {
    case 'stopped':
      return trans.__('Stopped.');
    case 'void':
      return trans.__('Void.');
    case 'failed':
      return trans.__('It did not end.');
    default:
      return trans.__('It can’t be tried.');
  }
}
