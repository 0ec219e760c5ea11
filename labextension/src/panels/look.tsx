/** Colours and names that the list shares with the chart. */
import type { TranslationBundle } from '@jupyterlab/translation';
import React, { createContext, useContext } from 'react';

import type { ILayer } from '../chart/layers';
import { colourOf, type IChartTheme } from '../chart/theme';
import { domainName } from '../words';

/** The theme's colours; null until the panel is in the page. */
export const Theme = createContext<IChartTheme | null>(null);

/** The square that tells which colour of the chart a row is. */
export function Swatch({ layer }: { layer: ILayer }): JSX.Element {
  const theme = useContext(Theme);
  const colour = theme ? colourOf(theme, layer.kind, layer.shade, layer.shades) : undefined;
  return (
    <span
      className={layer.estimated ? 'gnb-Swatch gnb-mod-estimated' : 'gnb-Swatch'}
      style={{ backgroundColor: colour }}
      aria-hidden="true"
    />
  );
}

/** What a domain is called: its kind and its label, the kind only where the label does not say it. */
export function rowName(domain: { kind: string; label: string }): string {
  return domain.kind === 'dram' && /\b(dram|memory)\b/i.test(domain.label)
    ? domain.label
    : domainName(domain, 60);
}

/** "64 GPUs": many of one kind in one. */
export function groupLabel(trans: TranslationBundle): (kind: string, count: number) => string {
  return (kind, count) => {
    switch (kind) {
      case 'gpu':
        return trans.__('%1 GPUs', count);
      case 'cpu_package':
        return trans.__('%1 CPUs', count);
      case 'dram':
        return trans.__('%1 memories', count);
      default:
        return trans.__('%1 sensors', count);
    }
  };
}
