/** The cells of the notebook and what each cost. */
import React, { useMemo, useState } from 'react';

import { CommandIDs } from '../commandIds';
import { co2e, percent, seconds, watts } from '../format';
import type { ICellCost, INotebookEnergy, IRunning } from '../tokens';
import { Foreign, TextButton } from './controls';
import { useClock, useSamples, useSignal } from './hooks';
import type { IPartProps } from './part';
import { dearest, FEW, type ISort, pressed, sorted, type SortKey } from './sorting';
import { amountAndInterval, inFull, netAmount, shortTime, wholeTime } from './text';

/** Cells end in quick succession when all of them run. */
const CELLS_MS = 500;

export function Cells(props: IPartProps): JSX.Element {
  const { energy, model, trans } = props;
  const [sort, setSort] = useState<ISort>({ key: 'cell', down: false });
  const [limit, setLimit] = useState(FEW);
  useSignal(energy.cellsChanged, CELLS_MS);
  useSignal(energy.factsChanged);
  useSignal(model.settingsChanged);
  const { cells, running } = energy;
  const net = props.view.net && energy.notebookTotal.net_j !== null;
  const shown = useMemo(() => sorted(dearest(cells, limit), sort, net), [cells, limit, sort, net]);
  if (cells.length === 0 && !running) {
    return <p className="gnb-Empty">{emptyWords(props)}</p>;
  }
  return (
    <>
      <table className="gnb-Cells">
        <Head sort={sort} press={key => setSort(pressed(sort, key))} {...props} />
        <tbody>
          {running ? <RunningRow key={running.window} running={running} {...props} /> : null}
          {shown.map(cell => (
            <CellRow key={cell.id} {...{ cell, net, energy, trans }} units={model.settings.units} />
          ))}
        </tbody>
      </table>
      {shown.length < cells.length ? (
        <p className="gnb-More">
          {trans.__('The %1 dearest of %2 cells.', shown.length, cells.length)}{' '}
          <TextButton onClick={() => setLimit(limit + 5 * FEW)}>{trans.__('Show more')}</TextButton>
        </p>
      ) : null}
      <Export {...props} />
    </>
  );
}

function emptyWords({ energy, trans }: IPartProps): string {
  if (energy.settings && !energy.settings.measure) {
    return trans.__(
      'Cells are measured when they begin with %1. “%2” measures all of them.',
      '%%energy', // the translator would read it as an escaped sign
      '%energy_auto on'
    );
  }
  return trans.__('No cell has been measured yet: run one, and what it cost stands here.');
}

interface IColumn {
  key: SortKey;
  label: string;
  title: string;
  /** Where the label is a sign. */
  name?: string;
}

function columns({ trans }: IPartProps): IColumn[] {
  return [
    { key: 'cell', label: trans.__('Cell'), title: trans.__('In the order of the notebook') },
    { key: 'joules', label: trans.__('Energy'), title: trans.__('With its 95 % interval') },
    { key: 'seconds', label: trans.__('Time'), title: trans.__('From the cell’s start to its end') },
    { key: 'watts', label: trans.__('Mean'), title: trans.__('Mean watts') },
    { key: 'grams', label: trans.__('CO₂e'), title: trans.__('Grams of CO₂ equivalent') },
    { key: 'change', label: 'Δ', title: trans.__('Change since the run before'), name: trans.__('Change') }
  ];
}

function Head(props: IPartProps & { sort: ISort; press(key: SortKey): void }): JSX.Element {
  const { sort, press } = props;
  return (
    <thead>
      <tr>
        {columns(props).map(({ key, label, title, name }) => (
          <th
            key={key}
            scope="col"
            className={`gnb-mod-${key}`}
            aria-sort={sort.key !== key ? undefined : sort.down ? 'descending' : 'ascending'}
          >
            <button type="button" title={title} aria-label={name} onClick={() => press(key)}>
              {label}
              <span className="gnb-Cells-arrow" aria-hidden="true">
                {sort.key !== key ? '' : sort.down ? '▾' : '▴'}
              </span>
            </button>
          </th>
        ))}
      </tr>
    </thead>
  );
}

interface ICellRowProps extends Pick<IPartProps, 'energy' | 'trans'> {
  cell: ICellCost;
  net: boolean;
  units: 'J' | 'Wh';
}

/** Rows of cells that have not changed are not made again. */
const CellRow = React.memo(function CellRow({ cell, net, units, energy, trans }: ICellRowProps): JSX.Element {
  const { measurement, source } = cell.run;
  const gone = cell.index < 0;
  const amount = net
    ? netAmount(measurement.net_j ?? NaN, measurement.net_u_j, measurement.method)
    : measurement;
  const [joules, interval] = amountAndInterval(amount, units);
  const jump = () => energy.jumpTo(cell.id);
  return (
    <tr onClick={jump} data-status={measurement.status}>
      <th scope="row" className="gnb-mod-cell">
        <button
          type="button"
          className="gnb-Cells-jump"
          disabled={gone}
          title={gone ? trans.__('This cell is gone') : trans.__('Go to this cell')}
        >
          <span className="gnb-Cells-count">{countWords(measurement.execution_count)}</span>
          <span className="gnb-Cells-line">
            <Foreign className="gnb-Cells-source" text={source || measurement.label} width={120} />
            {cell.share === null ? null : (
              <span
                className="gnb-Heat"
                style={{ width: `${Math.max(0.01, Math.min(1, cell.share)) * 100}%` }}
                title={trans.__('%1 of the notebook', percent(cell.share))}
              />
            )}
          </span>
        </button>
      </th>
      <td className="gnb-mod-joules" title={jouleWords(cell, trans)}>
        {measurement.total_j === null ? (
          <span className="gnb-Quiet">{trans.__('not measured')}</span>
        ) : (
          <>
            {joules} <span className="gnb-Quiet gnb-Cells-interval">{interval}</span>
            {measurement.partial ? <span className="gnb-Warn"> *</span> : null}
          </>
        )}
      </td>
      <td className="gnb-mod-seconds" title={seconds(measurement.duration_s)}>
        {shortTime(measurement.duration_s)}
      </td>
      <td className="gnb-mod-watts">
        {measurement.mean_w === null ? '–' : watts(measurement.mean_w, measurement.method)}
      </td>
      <td className="gnb-mod-grams">
        {measurement.co2e_g === null
          ? '–'
          : co2e(measurement.co2e_g, measurement.method).replace(' CO2e', '')}
      </td>
      <td className="gnb-mod-change">
        <Change cell={cell} trans={trans} />
      </td>
    </tr>
  );
});

function countWords(count: number | null): string {
  return count === null ? '' : `[${count}]`;
}

function jouleWords({ run: { measurement }, runs }: ICellCost, trans: IPartProps['trans']): string {
  const words = [inFull(measurement)];
  if (measurement.partial) {
    words.push(trans.__('partial: something that should count is missing'));
  }
  if (measurement.status !== 'ok') {
    words.push(measurement.status === 'error' ? trans.__('raised an error') : trans.__('interrupted'));
  }
  words.push(trans._n('%1 run', '%1 runs', runs));
  return words.join(' · ');
}

/** A percent where the intervals of the two runs lie apart, else "≈". */
function Change({ cell, trans }: Pick<ICellRowProps, 'cell' | 'trans'>): JSX.Element | null {
  const { change } = cell;
  if (!change) {
    return null;
  }
  if (!change.distinct) {
    return (
      <span className="gnb-Quiet" title={trans.__('No difference from the run before can be shown')}>
        ≈
      </span>
    );
  }
  const title = trans.__('%1 against the run before', percent(change.ratio, true));
  return (
    <span className={change.ratio < 0 ? 'gnb-Good' : 'gnb-Warn'} title={title}>
      {percent(change.ratio, true)}
    </span>
  );
}

function RunningRow({ running, energy, trans }: IPartProps & { running: IRunning }): JSX.Element {
  const source = useMemo(() => running.label || firstLine(energy, running.cell_id), [running, energy]);
  useSamples(energy.sampled, 1000); // in the frame that is drawn anyway
  const elapsed = useClock(() => {
    const since_s = energy.power.now_s() - running.t_s;
    return since_s >= 1 ? wholeTime(since_s) : '';
  }, 5000);
  return (
    <tr className="gnb-mod-running" onClick={() => running.cell_id && energy.jumpTo(running.cell_id)}>
      <th scope="row" className="gnb-mod-cell">
        <button type="button" className="gnb-Cells-jump" title={trans.__('Go to this cell')}>
          <span className="gnb-Cells-count">[*]</span>
          <Foreign className="gnb-Cells-source" text={source} width={120} />
        </button>
      </th>
      <td className="gnb-mod-elapsed" colSpan={5}>
        {elapsed ? trans.__('running for %1', elapsed) : trans.__('running')}
      </td>
    </tr>
  );
}

/** The first line of a cell that says something; "" where the cell is gone. */
function firstLine({ panel }: INotebookEnergy, cellId: string | null): string {
  const cell = panel.content.widgets.find(({ model }) => model.id === cellId);
  const lines = cell?.model.sharedModel.getSource().split('\n') ?? [];
  return lines.map(line => line.trim()).find(line => line && !line.startsWith('%%')) ?? '';
}

function Export({ energy, trans, execute }: IPartProps): JSX.Element | null {
  return energy.runs.length ? (
    <p className="gnb-Export">
      <span className="gnb-Quiet">{trans.__('Export every run')}</span>
      <TextButton onClick={() => execute(CommandIDs.exportJson)}>JSON</TextButton>
      <TextButton onClick={() => execute(CommandIDs.exportCsv)}>CSV</TextButton>
    </p>
  ) : null;
}
