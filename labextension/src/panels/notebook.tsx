/** What this notebook has cost: joules, watt-hours, grams, the budget, the session. */
import React from 'react';

import { co2e } from '../format';
import type { ITotal } from '../tokens';
import { footprintWords } from '../words';
import { Budget } from './budget';
import { Dotted, Segmented } from './controls';
import { useSignal } from './hooks';
import type { IPartProps } from './part';
import { amountAndInterval, type IAmount, otherUnit } from './text';

/** Cells end in quick succession when all of them run. */
const CELLS_MS = 500;

export function Notebook(props: IPartProps): JSX.Element | null {
  const { energy, model, trans, view, setView } = props;
  useSignal(energy.cellsChanged, CELLS_MS);
  useSignal(energy.factsChanged);
  useSignal(model.settingsChanged);
  const total = energy.notebookTotal;
  if (!energy.hello && total.runs === 0) {
    return null;
  }
  const netKnown = total.net_j !== null;
  return (
    <section className="gnb-Notebook" aria-label={trans.__('This notebook')}>
      <div className="gnb-Title">
        <h2>{trans.__('This notebook')}</h2>
        <Segmented
          label={trans.__('What is counted')}
          value={view.net && netKnown ? 1 : 0}
          choices={[
            {
              value: 1,
              label: trans.__('net'),
              disabled: !netKnown,
              title: netKnown
                ? trans.__('Above what the machine draws when idle')
                : trans.__('Not known yet: %1 measures what the idle machine draws', '%energy_baseline')
            },
            {
              value: 0,
              label: trans.__('gross'),
              title: trans.__('Everything that the machine drew meanwhile')
            }
          ]}
          onChange={net => setView({ net: net === 1 })}
        />
      </div>
      {total.runs === 0 ? (
        <p className="gnb-Quiet">{trans.__('No cell has been measured yet.')}</p>
      ) : (
        <Total net={view.net && netKnown} total={total} {...props} />
      )}
      <Budget {...props} />
      <Origin {...props} />
    </section>
  );
}

function Total(props: IPartProps & { total: ITotal; net: boolean }): JSX.Element {
  const { total, net, model, trans } = props;
  const units = model.settings.units;
  const shown: IAmount = net ? { ...total, total_j: total.net_j, low_j: null, high_j: null } : total;
  const [amount, interval] = amountAndInterval(shown, units);
  const rest = [interval, otherUnit(shown.total_j, shown.method, units)];
  if (total.co2e_g !== null) {
    const grams = subscript(co2e(total.co2e_g, total.method));
    rest.push(net ? trans.__('%1 gross', grams) : grams);
  }
  return (
    <p className="gnb-Total">
      <span className="gnb-Total-amount">{amount}</span> <Dotted words={rest.filter(Boolean)} />{' '}
      {total.partial ? (
        <span className="gnb-Partial" title={trans.__('In some runs something that should count is missing')}>
          {trans.__('partial')}
        </span>
      ) : null}
    </p>
  );
}

/** Where the grams come from, and what the kernel has cost since it began. */
function Origin({ energy, model, trans }: IPartProps): JSX.Element | null {
  const { settings, sessionTotal } = energy;
  const lines: string[] = [];
  if (settings?.intensity) {
    lines.push(footprintWords(settings.intensity, settings.pue, new Date().toISOString()));
  } else if (settings) {
    lines.push(trans.__('no carbon intensity known'));
  }
  if (sessionTotal && sessionTotal.runs > 0) {
    const [amount] = amountAndInterval(sessionTotal, model.settings.units);
    lines.push(trans._n('session: %2, %1 run', 'session: %2, %1 runs', sessionTotal.runs, amount));
  }
  return lines.length ? (
    <p className="gnb-Origin">
      <Dotted words={lines} />
    </p>
  ) : null;
}

/** CO2 as it is written. */
function subscript(text: string): string {
  return text.replace('CO2e', 'CO₂e');
}
