/**
 * What a measurement's parts are called, as greennb/views/words.py and above_idle.py call them. These words are not
 * translated: a cell's output must read the same wherever the notebook is opened.
 */
import { co2e, energy, joules, percent, plain, seconds, wattHours, withPlaces } from './format';
import type { IPanelSettings } from './tokens';
import type { IDomainEnergy, IIntensity, IMeasurement, IPlace, Method } from './wire';

/** Each kind of domain in a word or two. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ['gpu', 'GPU'],
  ['cpu_package', 'CPU'],
  ['cpu_core', 'CPU cores'],
  ['cpu_uncore', 'CPU uncore'],
  ['dram', 'memory'],
  ['psys', 'whole board'],
  ['battery', 'battery'],
  ['soc', 'chip']
]);

/** What each method means. */
export const METHODS: Readonly<Record<Method, string>> = {
  counter: 'a hardware energy counter',
  integrated: 'power readings summed over time',
  estimated: 'a model of power, not a sensor'
};

/** Why a measurement without faults has no joules. */
export const NO_READING = 'no source of joules gave a reading';

/** No difference from idle can be shown. */
export const NO_MORE = 'no more than idle';

/** Joules, or the same as watt-hours, as the user's settings say. */
export function amount(
  value_j: number | null,
  method: Method | null,
  units: IPanelSettings['units']
): string {
  return units === 'Wh' ? wattHours(value_j, method) : joules(value_j, method);
}

/** A total with its 95 % interval in joules or watt-hours. */
export function amountWithInterval(
  of: { total_j: number | null; low_j: number | null; high_j: number | null; method: Method | null },
  units: IPanelSettings['units']
): string {
  if (units === 'J') {
    return energy(of.total_j, of.low_j, of.high_j, of.method);
  }
  const inWh = (value_j: number | null): number | null => (value_j === null ? null : value_j / 3600);
  return energy(inWh(of.total_j), inWh(of.low_j), inWh(of.high_j), of.method).replace('J', 'Wh');
}

/** A total written as finely as its interval allows, without the interval: "690 J". */
export function roundedAmount(
  of: Parameters<typeof amountWithInterval>[0],
  units: IPanelSettings['units']
): string {
  return amountWithInterval(of, units).replace(/ (±|\().*$/, '');
}

/** The kind and the label of a domain: "GPU NVIDIA H200". */
export function domainName(domain: { kind: string; label: string }, width = 48): string {
  const kind = kindName(domain.kind);
  const label = plain(domain.label, width);
  return label.toLowerCase().startsWith(kind.toLowerCase()) ? label : `${kind} ${label}`.trimEnd();
}

function kindName(kind: string): string {
  return KINDS.get(kind) ?? plain(kind, 24);
}

function placeKey(of: IPlace): string {
  return JSON.stringify([of.kind, of.device]);
}

/** The domains whose energy no other domain of the measurement holds. */
export function roots(measurement: IMeasurement): IDomainEnergy[] {
  const there = new Set(measurement.domains.map(placeKey));
  const contained = (inside: IPlace | null | undefined): boolean =>
    inside ? there.has(placeKey(inside)) || contained(inside.inside) : false;
  return measurement.domains.filter(part => !contained(part.inside));
}

/** Which kinds of domain, and how: "2 GPU, memory counter + CPU estimated". */
export function measuredBy(parts: readonly IDomainEnergy[]): string {
  const ways = new Map<Method, Map<string, number>>();
  for (const { kind, method } of parts) {
    const kinds = ways.get(method) ?? new Map<string, number>();
    ways.set(method, kinds.set(kind, (kinds.get(kind) ?? 0) + 1));
  }
  const listed = (kinds: Map<string, number>): string =>
    Array.from(kinds, ([kind, count]) => (count > 1 ? `${count} ${kindName(kind)}` : kindName(kind))).join(
      ', '
    );
  return Array.from(ways, ([method, kinds]) => `${listed(kinds)} ${method}`).join(' + ');
}

/** Why a total is partial, in a few words; "" where it is whole. */
export function partialWords(measurement: IMeasurement): string {
  if (!measurement.partial) {
    return '';
  }
  const faulty = measurement.faults.flatMap(({ domain }) => (domain === null ? [] : [domain]));
  const domains = [...faulty, ...roots(measurement).filter(part => part.coverage < 1)];
  if (domains.length === 0) {
    return `partial: ${plain(faultSentences(measurement)[0]?.reason ?? NO_READING, 60)}`;
  }
  const read = new Set(measurement.domains.map(placeKey));
  const words = domains.map(
    domain => `${kindName(domain.kind)} ${read.has(placeKey(domain)) ? 'has gaps' : 'missing'}`
  );
  return `partial: ${Array.from(new Set(words)).join(', ')}`;
}

/** How the code ended; "" where it ended well. */
export function statusWords(status: IMeasurement['status']): string {
  return { ok: '', error: 'raised an error', interrupted: 'interrupted', open: 'still running' }[status];
}

/** Grams with the origin of the intensity: "4.5 mg CO2e (world average)"; "" where there is no footprint. */
export function carbonWords(measurement: IMeasurement): string {
  if (measurement.intensity === null || measurement.co2e_g === null) {
    return '';
  }
  const where = originWords(measurement.intensity, measurement.started_at);
  return `${co2e(measurement.co2e_g, measurement.method)} (${where})`;
}

/** Where an intensity comes from, as seen at the time `at`: "world average", "live Great Britain, 4 min old". */
export function originWords(intensity: IIntensity, at: string): string {
  const zone = plain(intensity.zone, 40);
  switch (intensity.origin) {
    case 'user':
      return 'set by you';
    case 'world':
      return 'world average';
    case 'guessed':
      return `guessed from time zone: ${zone}`;
    case 'live':
      return `live ${zone}, ${ageWords(intensity.as_of, at)}`.replace('  ', ' ');
    case 'static':
      return `static ${plain(intensity.as_of, 12)} ${zone}`.replace('  ', ' ').trimEnd();
  }
}

/** The intensity, its origin and the building's overhead: "475 g/kWh, world average, PUE 1.2". */
export function footprintWords(intensity: IIntensity, pue: number | null, at: string): string {
  const { low, high } = intensity;
  const spread =
    low !== null && high !== null && low < high ? ` (${withPlaces(low, 0)}–${withPlaces(high, 0)})` : '';
  const building = pue !== null && pue !== 1 ? `, PUE ${Number(pue.toPrecision(6))}` : '';
  return `${withPlaces(intensity.g_per_kwh, 0)} g/kWh${spread}, ${originWords(intensity, at)}${building}`;
}

/** What could not be read: each reason once with how often it came, and what mends it (a shared hint once). */
export function faultSentences(measurement: IMeasurement): { reason: string; hint: string }[] {
  const counts = new Map<string, { fault: IMeasurement['faults'][number]; count: number }>();
  for (const fault of measurement.faults) {
    const { domain, reason, hint } = fault;
    const key = JSON.stringify([domain && placeKey(domain), reason, hint]);
    const known = counts.get(key);
    counts.set(key, { fault, count: (known?.count ?? 0) + 1 });
  }
  const told = new Set<string>();
  const sentences = Array.from(counts.values(), ({ fault, count }) => {
    const hint = told.has(fault.hint) ? '' : plain(fault.hint, 400);
    told.add(fault.hint);
    return { reason: faultReason(fault, count), hint };
  });
  sentences.push(...gapSentences(measurement).map(reason => ({ reason, hint: '' })));
  return sentences.length === 0 && measurement.partial ? [{ reason: NO_READING, hint: '' }] : sentences;
}

function faultReason(fault: IMeasurement['faults'][number], count: number): string {
  const times = count > 1 ? ` (${count} times)` : '';
  const reason = plain(fault.reason, 300);
  if (fault.domain === null) {
    return reason + times;
  }
  const prefix = `${plain(fault.domain.label, 48)}: `; // some sources name the device themselves
  return `${domainName(fault.domain)}: ${reason.startsWith(prefix) ? reason.slice(prefix.length) : reason}${times}`;
}

function gapSentences(measurement: IMeasurement): string[] {
  return roots(measurement)
    .filter(part => part.coverage < 1)
    .map(part => `${domainName(part)}: readings cover ${percent(part.coverage)} of the time`);
}

/** What no domain of the measurement stands for: "memory, any GPU, disks, network, ...". */
export function notIncluded(measurement: IMeasurement): string {
  const kinds = new Set(measurement.domains.map(part => part.kind));
  if (kinds.has('battery')) {
    return 'whatever does not run on the battery';
  }
  if (kinds.has('psys')) {
    const cards = kinds.has('gpu') ? [] : ['GPU cards'];
    return [...cards, "whatever the board's sensor does not see", "the power supply's losses"].join(', ');
  }
  const leftOut = kinds.has('cpu_package') || kinds.has('soc') ? [] : ['CPU'];
  leftOut.push(...(kinds.has('dram') ? [] : ['memory']), ...(kinds.has('gpu') ? [] : ['any GPU']));
  return [...leftOut, "disks, network, cooling, the power supply's losses"].join(', ');
}

/** The joules above idle with their interval, or that there were none to be told; "" without a baseline. */
export function netWords(measurement: IMeasurement): string {
  const { net_j, net_u_j, method } = measurement;
  if (net_j === null) {
    return '';
  }
  const half_j = 1.96 * (net_u_j ?? 0);
  if (net_j === 0) {
    return net_u_j === null ? NO_MORE : `${NO_MORE}, or up to ${joules(half_j)} more`;
  }
  return `${energy(net_j, Math.max(0, net_j - half_j), net_j + half_j, method)} above idle`;
}

/** How old something dated `asOf` was at the time `at`: "4 min old". */
function ageWords(asOf: string, at: string): string {
  const age_s = (utc(at) - utc(asOf)) / 1000;
  if (!Number.isFinite(age_s)) {
    return 'of unknown age';
  }
  return age_s < 60 ? 'new' : `${seconds(60 * Math.round(age_s / 60))} old`;
}

/** Milliseconds of an ISO date; one without a zone is UTC, as the kernel writes it. */
export function utc(text: string): number {
  return Date.parse(/[T ].*(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text.replace(' ', 'T')}Z`);
}
