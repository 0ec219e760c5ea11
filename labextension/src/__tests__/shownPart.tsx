/** A part of the panel in a page, and what it is shown: importing this makes a page for each test. */
import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import React, { act } from 'react';

import type { IPartProps } from '../panels/part';
import { DEFAULTS } from '../settings';
import type { ICellCost, IEnergyModel, ILatest, INotebookEnergy } from '../tokens';
import type { IDomain, IFinding, IHello, IMeasurement, ITrial } from '../wire';

// JupyterLab brings react-dom; its types are no dependency of ours
const { createRoot } = require('react-dom/client') as { createRoot(host: Element): IRoot };

interface IRoot {
  render(element: JSX.Element): void;
  unmount(): void;
}

export const HOSTILE = '<img src=x onerror="window.stolen = 1">\u202e\u0007evil';
export const trans = nullTranslator.load('greennb');

export function domain(id: string, over: Partial<IDomain> = {}): IDomain {
  return {
    id,
    kind: 'gpu',
    label: id,
    host: 'h',
    inside: null,
    method: 'counter',
    note: '',
    max_w: 700,
    root: true,
    ...over
  };
}

export function hello(domains: IDomain[], faults: IHello['faults'] = []): IHello {
  return {
    v: 1,
    type: 'hello',
    greennb: '0.1.0',
    schema: 1,
    host: 'lab-7',
    pid: 1,
    python: '3.13',
    session: 's',
    t_s: 0,
    domains,
    sources: [],
    faults,
    settings: { measure: true, zone: '', pue: 1, intensity: null, price: 0, currency: '' }
  };
}

export function latest(watts: (number | null)[], over: Partial<ILatest> = {}): ILatest {
  return {
    t_s: 10,
    watts,
    low: watts.map(() => null),
    high: watts.map(() => null),
    gauges: [],
    faults: [],
    ...over
  };
}

export function measured(over: Partial<IMeasurement> = {}): IMeasurement {
  return {
    label: '',
    cell_id: 'c1',
    execution_count: 1,
    parent_id: null,
    status: 'ok',
    duration_s: 2,
    total_j: 100,
    low_j: 90,
    high_j: 110,
    net_j: null,
    net_u_j: null,
    mean_w: 50,
    method: 'counter',
    partial: false,
    co2e_g: 0.01,
    ...over
  } as IMeasurement;
}

export function cell(
  id: string,
  index: number,
  over: Partial<IMeasurement> = {},
  rest: Partial<ICellCost> = {}
): ICellCost {
  const run = {
    t0_s: 0,
    t1_s: 2,
    source: `source of ${id}`,
    measurement: measured({ cell_id: id, ...over })
  };
  return { id, index, run, runs: 1, change: null, share: null, ...rest };
}

/** A notebook as the panel sees it. What it says is the test's; that it is what the model says is model.spec.ts's. */
export function notebook(over: Record<string, unknown> = {}): INotebookEnergy & { jumps: string[] } {
  const signal = () => new Signal<object, unknown>({});
  const jumps: string[] = [];
  return {
    panel: {
      title: { label: 'train.ipynb', changed: signal() },
      sessionContext: { kernelDisplayName: 'Python 3 (ipykernel)' }
    },
    state: { kind: 'live', sentence: 'Live.', command: '', step: null, stepLabel: '' },
    did: '',
    hello: null,
    settings: null,
    power: { latest: null, version: 0, now_s: () => 10.2, view: () => ({ t_s: [], watts: [], bin_s: 1 }) },
    cells: [],
    runs: [],
    running: null,
    waste: [],
    trials: {
      changed: signal(),
      runningKey: null,
      stage: () => ({ kind: 'none' }),
      applied: () => null,
      allApplied: []
    },
    findings: [],
    setAside: [],
    budget_j: null,
    notebookTotal: { runs: 0, total_j: null, net_j: null },
    sessionTotal: null,
    stateChanged: signal(),
    factsChanged: signal(),
    sampled: signal(),
    cellsChanged: signal(),
    adviceChanged: signal(),
    jumps,
    jumpTo: (id: string) => jumps.push(id) > 0,
    ...over
  } as unknown as INotebookEnergy & { jumps: string[] };
}

let root: IRoot;
export let host: HTMLElement;

beforeEach(() => {
  (globalThis as Record<string, unknown>).IS_REACT_ACT_ENVIRONMENT = true;
  host = document.body.appendChild(document.createElement('div'));
  root = createRoot(host);
});

afterEach(() => {
  act(() => root.unmount());
  host.remove();
});

export function model(energy: INotebookEnergy | null, over: Record<string, unknown> = {}): IEnergyModel {
  const signal = () => new Signal<object, unknown>({});
  const settings = { ...DEFAULTS };
  return {
    current: energy,
    settings,
    currentChanged: signal(),
    settingsChanged: signal(),
    host: { hello: null, factsChanged: signal() },
    ...over
  } as unknown as IEnergyModel;
}

export function show(
  Part: React.ComponentType<IPartProps>,
  energy: INotebookEnergy,
  over: Partial<IPartProps> = {}
): string {
  const props: IPartProps = {
    model: model(energy),
    energy,
    trans,
    view: { span_s: 60, tab: 'cells', net: false },
    setView: () => undefined,
    execute: () => undefined,
    ...over
  };
  act(() => root.render(<Part {...props} />));
  return host.textContent ?? '';
}

/** A finding as a kernel of today sends it. */
export function finding(over: Partial<IFinding> = {}): IFinding {
  const { code, subject } = { code: 'GNB205', subject: 'model', ...over };
  return {
    code,
    name: 'evaluates with gradients on',
    framework: 'torch',
    severity: 'act',
    source: 'the guide, https://example.org/notes.',
    wrong_when: ['an input needs gradients'],
    key: `${code} ${subject}`.trimEnd(),
    subject,
    cell_id: 'c1',
    execution_count: 3,
    cells: 1,
    at_stake_s: 12,
    at_stake_j: 34,
    method: 'estimated',
    evidence: [{ name: 'forwards', value: 312, unit: '1' }],
    suggestion: 'Use inference mode.',
    code_change: 'with torch.inference_mode():\n    ...',
    trial: null,
    can_try: false,
    ...over
  };
}

/** What a trial showed. */
export function tried(over: Partial<ITrial> = {}): ITrial {
  return {
    verdict: 'saves',
    ratio: 0.5,
    interval: [0.4, 0.6],
    quality: '',
    break_even: null,
    quality_good: null,
    note: '',
    variant: 'channels_last',
    unit: 'step',
    units: null,
    baseline: null,
    candidate: null,
    spent_s: null,
    spent_j: null,
    method: 'estimated',
    change: null,
    ...over
  };
}
