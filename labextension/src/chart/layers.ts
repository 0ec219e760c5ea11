/** What the chart stacks: a layer a root domain, and many of one kind in one. */
import type { IDomain } from '../wire';

/** More domains of one kind than this are one layer and, in the list, one row that unfolds. */
export const MANY = 8;
/** Where there are more roots than this, already so many of a kind are one. */
const CROWD = 12;
const MANY_IN_A_CROWD = 4;

/** One colour in the stack. */
export interface ILayer {
  key: string;
  kind: string;
  /** Positions in `hello.domains`. */
  members: number[];
  label: string;
  /** Drawn hatched, written with "~". */
  estimated: boolean;
  /** Which of how many layers of its kind, for the shade. */
  shade: number;
  shades: number;
}

/** The layers of the root domains, lowest first, in the order of `domains`. `groupLabel` names many of a kind. */
export function layersOf(
  domains: readonly IDomain[],
  groupLabel: (kind: string, count: number) => string
): ILayer[] {
  const sizes = new Map<string, number>();
  for (const domain of domains) {
    if (domain.root) {
      sizes.set(groupKey(domain), (sizes.get(groupKey(domain)) ?? 0) + 1);
    }
  }
  const most = domains.filter(({ root }) => root).length > CROWD ? MANY_IN_A_CROWD : MANY;
  const layers = new Map<string, ILayer>();
  domains.forEach((domain, index) => {
    if (!domain.root) {
      return;
    }
    const many = (sizes.get(groupKey(domain)) ?? 0) > most;
    const key = many ? groupKey(domain) : domain.id;
    const layer = layers.get(key);
    if (layer) {
      layer.members.push(index);
      return;
    }
    layers.set(key, {
      key,
      kind: domain.kind,
      members: [index],
      label: many ? groupLabel(domain.kind, sizes.get(groupKey(domain)) ?? 0) : domain.label,
      estimated: domain.method === 'estimated',
      shade: 0,
      shades: 1
    });
  });
  return shaded([...layers.values()]);
}

/** Domains of one kind that may be added in one layer: estimates are not mixed with measurements. */
export function groupKey(domain: IDomain): string {
  return `${domain.kind}/${domain.method === 'estimated' ? 'estimated' : 'measured'}`;
}

function shaded(layers: ILayer[]): ILayer[] {
  const counts = new Map<string, number>();
  for (const layer of layers) {
    layer.shade = counts.get(layer.kind) ?? 0;
    counts.set(layer.kind, layer.shade + 1);
  }
  for (const layer of layers) {
    layer.shades = counts.get(layer.kind) ?? 1;
  }
  return layers;
}
