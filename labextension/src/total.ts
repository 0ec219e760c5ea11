/**
 * The sum of several measurements, by exactly the rules of greennb/model/total.py and half_width_j in
 * greennb/model/measurement.py: both languages read tests/data/total.
 */
import type { ITotal } from './tokens';
import type { IDomainEnergy, IMeasurement, IPlace, Method } from './wire';

const WORSE: readonly Method[] = ['counter', 'integrated', 'estimated'];

/** The total of windows that do not overlap; null stands for one that should have been measured and was not. */
export function totalOf(parts: readonly (IMeasurement | null)[]): ITotal {
  const present = parts.filter((part): part is IMeasurement => part !== null);
  const measured = present.filter(part => part.domains.length > 0);
  const roots = measured.flatMap(rootsOf);
  const total_j = measured.length ? sum(roots.map(root => root.gross_j)) : null;
  return {
    runs: parts.length,
    total_j,
    low_j: total_j === null ? null : Math.max(0, total_j - halfWidth(roots, true)),
    high_j: total_j === null ? null : total_j + halfWidth(roots, false),
    net_j: allOrNone(measured.map(part => part.net_j)),
    co2e_g: allOrNone(measured.map(part => part.co2e_g)),
    duration_s: sum(present.map(part => part.duration_s)),
    method: worst(roots.map(root => root.method)),
    partial: present.length < parts.length || present.some(part => part.partial)
  };
}

/** The energies of a measurement that no other measured energy contains. */
export function rootsOf(measurement: IMeasurement): IDomainEnergy[] {
  const present = new Set(measurement.domains.map(placeName));
  return measurement.domains.filter(energy => !contained(energy, present));
}

/** A domain's name among the domains of all machines. */
export function placeName({ kind, host, device }: IPlace): string {
  return `${kind}\n${host ?? ''}\n${device}`;
}

/** The worst method, which is a sum's; null of nothing. */
export function worst(methods: readonly Method[]): Method | null {
  return WORSE[methods.reduce((most, method) => Math.max(most, WORSE.indexOf(method)), -1)] ?? null;
}

function contained(energy: IDomainEnergy, present: ReadonlySet<string>): boolean {
  for (let outer = energy.inside ?? null; outer !== null; outer = outer.inside ?? null) {
    if (present.has(placeName({ host: energy.host, ...outer }))) {
      return true;
    }
  }
  return false;
}

/**
 * Half-width of a sum's 95 % interval on one side. Counters err independently: in quadrature. Estimates share one model:
 * they add up. Integrated power is off by its sensor's accuracy: one domain's add up, different domains' do not.
 */
function halfWidth(energies: readonly IDomainEnergy[], below: boolean): number {
  let modelled = 0;
  const halves: number[] = [];
  const sensors = new Map<string, number>();
  for (const energy of energies) {
    const half = below ? energy.gross_j - energy.low_j : energy.high_j - energy.gross_j;
    if (energy.method === 'estimated') {
      modelled += half;
    } else if (energy.method === 'integrated') {
      sensors.set(placeName(energy), (sensors.get(placeName(energy)) ?? 0) + half);
    } else {
      halves.push(half);
    }
  }
  return length([modelled, ...halves, ...sensors.values()]);
}

/** As `Math.hypot`, for more numbers than a call takes arguments. */
function length(values: readonly number[]): number {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return largest && largest * Math.sqrt(sum(values.map(value => (value / largest) ** 2)));
}

/** Kahan's sum with Neumaier's correction: thousands of cells lose nothing to rounding. */
function sum(values: readonly number[]): number {
  let total = 0;
  let lost = 0;
  for (const value of values) {
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  return total + lost;
}

function allOrNone(values: readonly (number | null)[]): number | null {
  const known = values.filter((value): value is number => value !== null);
  return values.length && known.length === values.length ? sum(known) : null;
}
