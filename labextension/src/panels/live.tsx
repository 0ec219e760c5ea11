/** What the machine draws now: one number, a row a domain, the machine's own gauges. */
import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import React, { useRef, useState } from 'react';

import { percent, plain, watts } from '../format';
import type { ILatest } from '../tokens';
import type { IGauge } from '../wire';
import { Foreign } from './controls';
import { useClock, useSamples, useSignal } from './hooks';
import { groupLabel, rowName, Swatch } from './look';
import type { IPowerProps } from './part';
import { blocks, type IBlock, type IDomainRow, machineGauge, strayFaults, totalNow } from './rows';
import { memory } from './text';

/** Watts older than this many sampling periods, and than 3 s, are not "now" any more. */
const STALE_PERIODS = 5;
const STALE_S = 3;
/** Gauges older than this are gone. */
const GAUGES_S = 10;

export function Live(props: IPowerProps): JSX.Element | null {
  const { energy } = props;
  useSignal(energy.factsChanged);
  useSignal(energy.stateChanged);
  return energy.hello ? (
    <section className="gnb-Live" aria-label={props.trans.__('Power now')}>
      <Now {...props} />
      <Rows {...props} />
    </section>
  ) : null;
}

/** Seconds since the last sample where they are too many to call it "now", else 0. */
function useStale({ energy, model }: IPowerProps): number {
  return useClock(() => {
    const { latest } = energy.power;
    const age_s = latest ? energy.power.now_s() - latest.t_s : 0;
    return age_s > Math.max(STALE_S, STALE_PERIODS / model.settings.rate_hz) ? Math.round(age_s) : 0;
  });
}

function Now(props: IPowerProps): JSX.Element {
  const { energy, trans } = props;
  useSamples(energy.sampled);
  const stale_s = useStale(props);
  const now = totalNow(energy.hello!, stale_s ? null : energy.power.latest);
  const [amount, unit] = now.watts === null ? ['–', 'W'] : watts(now.watts, now.method).split(' ');
  const estimated = now.method === 'estimated' ? trans.__('“~”: in part estimated, not measured') : undefined;
  return (
    <p className="gnb-Now" title={estimated}>
      <span className="gnb-Now-amount">{amount}</span> <span className="gnb-Now-unit">{unit}</span>{' '}
      <span className="gnb-Now-words">
        {stale_s ? trans.__('no sample for %1 s', stale_s) : nowWords(now.watts === null, props)}
      </span>{' '}
      {now.partial && now.watts !== null ? (
        <span className="gnb-Partial" title={trans.__('Something that should count is not readable')}>
          {trans.__('partial')}
        </span>
      ) : null}
    </p>
  );
}

function nowWords(nothing: boolean, { energy, trans }: IPowerProps): string {
  if (!nothing) {
    return trans.__('now');
  }
  return energy.power.latest ? trans.__('nothing could be read') : trans.__('waiting for the first sample');
}

/** The latest sample with the latest gauges: they are looked at less often than watts, and a row must not flicker. */
function useLatest({ energy }: IPowerProps): ILatest | null {
  const { latest } = energy.power;
  const seen = useRef<{ t_s: number; gauges: readonly IGauge[] }>({ t_s: -Infinity, gauges: [] });
  if (latest?.gauges.length) {
    seen.current = { t_s: latest.t_s, gauges: latest.gauges };
  }
  const { t_s, gauges } = seen.current;
  return latest && { ...latest, gauges: latest.t_s - t_s < GAUGES_S ? gauges : [] };
}

function Rows(props: IPowerProps): JSX.Element {
  const { energy, trans } = props;
  useSamples(energy.sampled);
  const present = useLatest(props);
  const latest = useStale(props) > 0 ? null : present;
  const hello = energy.hello!;
  const machine = machineGauge(latest);
  return (
    <ul className="gnb-Rows">
      {blocks(hello, latest, groupLabel(trans)).map(block =>
        block.group ? (
          <GroupRow key={block.layer.key} block={block} {...props} />
        ) : (
          block.rows.map(row => <DomainRow key={row.key} row={row} block={block} {...props} />)
        )
      )}
      {strayFaults(hello, latest).map(fault => (
        <li key={`${fault.domain} ${fault.label} ${fault.reason}`} className="gnb-Row gnb-mod-fault">
          <span className="gnb-Swatch" aria-hidden="true" />
          <span className="gnb-Row-name">
            <Foreign text={fault.label || trans.__('A sensor')} width={60} />{' '}
            <Why reason={fault.reason} {...props} />
          </span>
          <span className="gnb-Row-watts">–</span>
        </li>
      ))}
      {machine ? <MachineRow gauge={machine} {...props} /> : null}
    </ul>
  );
}

function DomainRow(props: IPowerProps & { row: IDomainRow; block: IBlock }): JSX.Element {
  const { row, block, trans } = props;
  const { domain, fault } = row;
  const method = domain.method === 'estimated' ? 'estimated' : null;
  return (
    <li className="gnb-Row" data-depth={row.depth || undefined}>
      {row.depth ? null : <Swatch layer={block.layer} />}
      <span className="gnb-Row-name" title={plain(domain.note || domain.label, 200)}>
        <Foreign text={row.depth ? domain.label : rowName(domain)} width={60} />{' '}
        {method ? <span className="gnb-Quiet">{trans.__('estimated')} </span> : null}
        {row.watts === null && fault ? <Why reason={fault.reason} {...props} /> : null}
      </span>
      <Gauge gauge={row.gauge} />
      <span className="gnb-Row-watts" title={intervalWords(row, props)}>
        {row.watts === null ? '–' : watts(row.watts, method)}
      </span>
    </li>
  );
}

function intervalWords({ low_w, high_w, domain }: IDomainRow, { trans }: IPowerProps): string | undefined {
  if (low_w === null || high_w === null) {
    return undefined;
  }
  return trans.__('between %1 and %2 (95 %), %3', watts(low_w), watts(high_w), domain.method);
}

/** Utilisation, then memory where there is room. */
function Gauge({ gauge }: { gauge: IGauge | null }): JSX.Element {
  const room = gauge ? memory(gauge.mem_b, gauge.mem_total_b) : '';
  const title = gauge && gauge.temp_c !== null ? `${gauge.temp_c.toFixed(0)} °C` : undefined;
  return (
    <span className="gnb-Row-gauge" title={title}>
      {room ? <span className="gnb-Row-memory">{room}</span> : null}
      {gauge && gauge.util !== null ? <span className="gnb-Row-util">{percent(gauge.util)}</span> : null}
    </span>
  );
}

/** Many of one kind: their sum, and each of them when it is unfolded. */
function GroupRow(props: IPowerProps & { block: IBlock }): JSX.Element {
  const { block, trans } = props;
  const [open, setOpen] = useState(false);
  const group = block.group!;
  const method = block.layer.estimated ? 'estimated' : null;
  const Caret = open ? caretDownIcon : caretRightIcon;
  return (
    <>
      <li className="gnb-Row">
        <Swatch layer={block.layer} />
        <span className="gnb-Row-name">
          <button type="button" className="gnb-Fold" aria-expanded={open} onClick={() => setOpen(!open)}>
            <Caret.react tag="span" width="14px" height="14px" />
            {block.layer.label}
          </button>{' '}
          {group.missing ? (
            <span className="gnb-Warn">{trans.__('%1 without a reading', group.missing)}</span>
          ) : null}
        </span>
        <Gauge gauge={group.gauge} />
        <span className="gnb-Row-watts">{group.watts === null ? '–' : watts(group.watts, method)}</span>
      </li>
      {open
        ? block.rows.map(row => (
            <DomainRow key={row.key} {...props} row={{ ...row, depth: row.depth + 1 }} block={block} />
          ))
        : null}
    </>
  );
}

function MachineRow({ gauge, trans }: IPowerProps & { gauge: IGauge }): JSX.Element {
  return (
    <li className="gnb-Row gnb-Machine">
      <span className="gnb-Row-name gnb-Quiet">{trans.__('Machine')}</span>
      <span className="gnb-Row-gauge">
        {gauge.mem_b === null ? null : (
          <span className="gnb-Row-memory">{memory(gauge.mem_b, gauge.mem_total_b)}</span>
        )}
        {gauge.util === null ? null : (
          <span className="gnb-Row-util">{trans.__('CPU %1', percent(gauge.util))}</span>
        )}
      </span>
    </li>
  );
}

/** "not readable · why": the reason in a tooltip, the mend under Sensors. */
function Why({ reason, setView, trans }: IPowerProps & { reason: string }): JSX.Element {
  return (
    <>
      <span className="gnb-Quiet">{trans.__('not readable')} · </span>
      <button
        type="button"
        className="gnb-Link"
        title={plain(reason, 300)}
        onClick={() => setView({ tab: 'sensors' })}
      >
        {trans.__('why')}
      </button>
    </>
  );
}
