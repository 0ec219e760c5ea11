/** The rows of watts: from what a kernel said to what stands in the list. No React, no drawing. */
import { groupKey, type ILayer, layersOf } from '../chart/layers';
import type { ILatest } from '../tokens';
import type { IDomain, IFault, IGauge, IHello, Method } from '../wire';

/** Watts now, in one number. */
export interface INow {
  /** Null where nothing was read. */
  watts: number | null;
  method: Method | null;
  /** Something that should count is missing. */
  partial: boolean;
}

/** A domain, now. */
export interface IDomainRow {
  key: string;
  domain: IDomain;
  /** 0 for a root, 1 for what is inside one, and so on. */
  depth: number;
  watts: number | null;
  low_w: number | null;
  high_w: number | null;
  gauge: IGauge | null;
  /** Why there are no watts; null where there are, or where nobody knows. */
  fault: IFault | null;
}

/** A root with what is inside it, or many roots of one kind. */
export interface IBlock {
  layer: ILayer;
  rows: IDomainRow[];
  /** Many of one kind: a row that unfolds. */
  group: IGroup | null;
}

/** Many domains of one kind, together. */
export interface IGroup {
  count: number;
  /** Those of which nothing was read. */
  missing: number;
  watts: number | null;
  /** Mean utilisation and memory added, of those that say it. */
  gauge: IGauge | null;
}

/** Watts of all roots together. */
export function totalNow(hello: IHello, latest: ILatest | null): INow {
  const roots = hello.domains.map((domain, index) => ({ domain, index })).filter(({ domain }) => domain.root);
  const read = roots.filter(({ index }) => latest?.watts[index] != null);
  const estimated = read.some(({ domain }) => domain.method === 'estimated');
  return {
    watts: read.length ? read.reduce((sum, { index }) => sum + (latest?.watts[index] ?? 0), 0) : null,
    method: read.length ? (estimated ? 'estimated' : 'counter') : null,
    partial: read.length < roots.length || faultsNow(hello, latest).length > 0
  };
}

/** What cannot be read now, each once. */
export function faultsNow(hello: IHello, latest: ILatest | null): IFault[] {
  const found = new Map<string, IFault>();
  for (const fault of [...hello.faults, ...(latest?.faults ?? [])]) {
    found.set(JSON.stringify([fault.domain, fault.label, fault.reason]), fault);
  }
  return [...found.values()];
}

/** Faults of what has no row of its own. */
export function strayFaults(hello: IHello, latest: ILatest | null): IFault[] {
  const known = new Set(hello.domains.map(domain => domain.id));
  return faultsNow(hello, latest).filter(fault => fault.domain === null || !known.has(fault.domain));
}

/** The list, block by block in the order of the chart's layers. */
export function blocks(
  hello: IHello,
  latest: ILatest | null,
  groupLabel: (kind: string, count: number) => string
): IBlock[] {
  const faults = faultsNow(hello, latest);
  const rows = hello.domains.map((domain, index) => rowOf(domain, index, latest, faults));
  const layers = layersOf(hello.domains, groupLabel);
  return layers.map(layer => {
    const roots = layer.members.map(index => rows[index]);
    return {
      layer,
      rows: roots.flatMap(root => withInsides(root, rows, 0)),
      group: layer.key === groupKey(roots[0].domain) ? groupOf(roots) : null
    };
  });
}

/** The machine's own gauges: CPU time and memory. */
export function machineGauge(latest: ILatest | null): IGauge | null {
  return latest?.gauges.find(gauge => gauge.domain === null) ?? null;
}

function rowOf(
  domain: IDomain,
  index: number,
  latest: ILatest | null,
  faults: readonly IFault[]
): IDomainRow {
  return {
    key: domain.id,
    domain,
    depth: 0,
    watts: latest?.watts[index] ?? null,
    low_w: latest?.low[index] ?? null,
    high_w: latest?.high[index] ?? null,
    gauge: latest?.gauges.find(gauge => gauge.domain === domain.id) ?? null,
    fault: faults.find(fault => fault.domain === domain.id) ?? null
  };
}

/** A row and those inside it; a circle, which no kernel should send, ends at depth 3. */
function withInsides(row: IDomainRow, rows: readonly IDomainRow[], depth: number): IDomainRow[] {
  const inside =
    depth < 3 ? rows.filter(other => !other.domain.root && other.domain.inside === row.domain.id) : [];
  return [{ ...row, depth }, ...inside.flatMap(other => withInsides(other, rows, depth + 1))];
}

function groupOf(roots: readonly IDomainRow[]): IGroup {
  const read = roots.filter(row => row.watts !== null);
  const gauges = roots.flatMap(row => (row.gauge ? [row.gauge] : []));
  return {
    count: roots.length,
    missing: roots.length - read.length,
    watts: read.length ? read.reduce((sum, row) => sum + (row.watts ?? 0), 0) : null,
    gauge: gauges.length ? togetherOf(gauges) : null
  };
}

function togetherOf(gauges: readonly IGauge[]): IGauge {
  const sum = (values: (number | null)[]): number | null => {
    const known = values.filter((value): value is number => value !== null);
    return known.length ? known.reduce((total, value) => total + value, 0) : null;
  };
  const busy = gauges.filter(gauge => gauge.util !== null);
  return {
    domain: null,
    util: busy.length ? (sum(busy.map(gauge => gauge.util)) ?? 0) / busy.length : null,
    mem_b: sum(gauges.map(gauge => gauge.mem_b)),
    mem_total_b: sum(gauges.map(gauge => gauge.mem_total_b)),
    temp_c: null
  };
}
