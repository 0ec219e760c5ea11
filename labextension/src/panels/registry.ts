/** The parts of the panel, in order. */
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';

import { Advice } from './advice';
import { Cells } from './cells';
import { ChartView } from './chartView';
import { Live } from './live';
import { Notebook } from './notebook';
import type { IPart } from './part';
import { Sensors } from './sensors';

/** Parts by place and rank. */
export class PartRegistry {
  /** Add a part; the answer takes it away again. */
  add(part: IPart): IDisposable {
    this._parts = [...this._parts, part].sort((one, other) => one.rank - other.rank);
    return new DisposableDelegate(() => {
      this._parts = this._parts.filter(other => other !== part);
    });
  }

  at(place: IPart['place']): IPart[] {
    return this._parts.filter(part => part.place === place);
  }

  private _parts: readonly IPart[] = [];
}

/** greennb's own parts. */
export function ownParts(): PartRegistry {
  const registry = new PartRegistry();
  PARTS.forEach(part => registry.add(part));
  return registry;
}

const PARTS: readonly IPart[] = [
  { id: 'live', place: 'top', rank: 10, title: trans => trans.__('Power now'), component: Live },
  { id: 'power', place: 'top', rank: 20, title: trans => trans.__('Power over time'), component: ChartView },
  { id: 'notebook', place: 'top', rank: 30, title: trans => trans.__('This notebook'), component: Notebook },
  {
    id: 'cells',
    place: 'tab',
    rank: 10,
    title: trans => trans.__('Cells'),
    count: energy => energy.cells.length,
    component: Cells
  },
  {
    id: 'advice',
    place: 'tab',
    rank: 20,
    title: trans => trans.__('Advice'),
    count: energy => energy.waste.length + energy.findings.length,
    component: Advice
  },
  {
    id: 'sensors',
    place: 'tab',
    rank: 30,
    title: trans => trans.__('Sensors'),
    count: energy => (energy.hello ? energy.hello.sources.filter(source => source.used).length : null),
    component: Sensors
  }
];
