/** The chart in the panel: its time span, pause, tooltip, and what it says in words. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { runIcon } from '@jupyterlab/ui-components';
import React, { useContext, useEffect, useMemo, useRef, useState } from 'react';

import { type ILayer, layersOf } from '../chart/layers';
import { type IHover, PowerChart } from '../chart/powerChart';
import { summary } from '../chart/summary';
import { plain, watts } from '../format';
import { pauseIcon } from '../icons';
import { Foreign, IconButton, Segmented } from './controls';
import { Seen, useSignal } from './hooks';
import { groupLabel, Swatch, Theme } from './look';
import type { IPowerProps } from './part';
import { wholeTime } from './text';

/** The words for those who do not see it change no more often than this. */
const SUMMARY_MS = 10_000;

export function ChartView(props: IPowerProps): JSX.Element | null {
  const { energy, trans, view, setView } = props;
  const [paused, setPaused] = useState(false);
  useSignal(energy.factsChanged);
  if (!energy.hello?.domains.some(domain => domain.root)) {
    return null;
  }
  return (
    <section className="gnb-Power" aria-label={trans.__('Power over time')}>
      <div className="gnb-Title">
        <h2>{trans.__('Power')}</h2>
        <IconButton
          icon={paused ? runIcon : pauseIcon}
          label={paused ? trans.__('Let the chart go on') : trans.__('Hold the chart')}
          pressed={paused}
          onClick={() => setPaused(!paused)}
        />
        <Segmented
          label={trans.__('Time shown')}
          value={view.span_s}
          choices={[
            { value: 60, label: trans.__('1 min') },
            { value: 300, label: trans.__('5 min') },
            { value: 3600, label: trans.__('1 h') }
          ]}
          onChange={span_s => setView({ span_s })}
        />
      </div>
      <Plot {...props} paused={paused} />
    </section>
  );
}

function Plot(props: IPowerProps & { paused: boolean }): JSX.Element {
  const { energy, trans, view, paused } = props;
  const seen = useContext(Seen);
  const theme = useContext(Theme);
  const host = useRef<HTMLDivElement>(null);
  const [chart, setChart] = useState<PowerChart | null>(null);
  const [hover, setHover] = useState<IHover | null>(null);
  const domains = energy.hello?.domains;
  const layers = useMemo(() => layersOf(domains ?? [], groupLabel(trans)), [domains, trans]);

  useEffect(() => {
    const made = new PowerChart(host.current!, {
      source: energy,
      layers,
      span_s: view.span_s,
      words: { now: trans.__('now'), paused: trans.__('held') },
      onHover: setHover,
      onBand: cellId => energy.jumpTo(cellId)
    });
    setChart(made);
    return () => made.dispose();
  }, [energy, layers, trans]); // the span is set below: another span makes no other chart

  useEffect(() => chart?.setSpan(view.span_s), [chart, view.span_s]);
  useEffect(() => chart?.setPaused(paused), [chart, paused]);
  useEffect(() => chart?.recolour(), [chart, theme]);

  useEffect(() => {
    if (!seen || !chart) {
      return;
    }
    const sampled = () => chart.sampled();
    energy.sampled.connect(sampled);
    chart.draw(); // what happened while it was hidden
    return () => {
      energy.sampled.disconnect(sampled);
    };
  }, [energy, chart, seen]);

  const words = useSummary(chart, layers, props);
  return (
    <div className="gnb-Chart">
      <div ref={host} className="gnb-Chart-host" role="img" aria-label={words} />
      {hover ? <Tooltip hover={hover} layers={layers} {...props} /> : null}
    </div>
  );
}

/** The chart in words, anew every 10 s: no more often, for a screen reader would never come to rest. */
function useSummary(
  chart: PowerChart | null,
  layers: readonly ILayer[],
  { trans, view, energy }: IPowerProps
): string {
  const seen = useContext(Seen);
  const [words, setWords] = useState(trans.__('Power over time'));
  useEffect(() => {
    if (!seen || !chart) {
      return;
    }
    const say = () => setWords(summary(chart.stack, layers, chart.bands, view.span_s, trans));
    const soon = setTimeout(say, energy.power.latest ? 0 : 1000);
    const timer = setInterval(say, SUMMARY_MS);
    return () => {
      clearTimeout(soon);
      clearInterval(timer);
    };
  }, [chart, layers, seen, view.span_s, trans]);
  return words;
}

/** Watts of each layer under the pointer, and the cell that ran. */
function Tooltip(props: IPowerProps & { hover: IHover; layers: readonly ILayer[] }): JSX.Element {
  const { hover, layers, trans } = props;
  const side = hover.x_px > hover.width_px / 2 ? 'left' : 'right';
  const estimated = layers.some(layer => layer.estimated);
  return (
    <>
      <div className="gnb-Chart-cursor" style={{ left: hover.x_px }} />
      <div className="gnb-Chart-tip" data-side={side} aria-hidden="true">
        <p>
          <b>{Number.isNaN(hover.total_w) ? '–' : watts(hover.total_w, estimated ? 'estimated' : null)}</b>{' '}
          <span className="gnb-Quiet">{agoWords(hover.t_s, trans)}</span>
        </p>
        {[...layers.keys()].reverse().map(layer => (
          <p key={layers[layer].key} className="gnb-Chart-layer">
            <Swatch layer={layers[layer]} />
            <Foreign text={layers[layer].label} width={40} />
            <span>{wattWords(hover.layers_w[layer], layers[layer], trans)}</span>
          </p>
        ))}
        {hover.band ? (
          <p className="gnb-Chart-cell">
            {hover.band.mark} <Foreign text={plain(hover.band.title, 60)} />
          </p>
        ) : null}
      </div>
    </>
  );
}

function agoWords(t_s: number, trans: TranslationBundle): string {
  return t_s > -0.5 ? trans.__('now') : trans.__('%1 ago', wholeTime(-t_s));
}

function wattWords(own_w: number, layer: ILayer, trans: TranslationBundle): string {
  return Number.isNaN(own_w) ? trans.__('no reading') : watts(own_w, layer.estimated ? 'estimated' : null);
}
