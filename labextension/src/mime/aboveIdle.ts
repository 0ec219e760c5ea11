/** Net, idle and own share in words: greennb/views/above_idle.py. */
import { joules, percent, plain, seconds, watts } from '../format';
import type { IDomainEnergy, IMeasurement } from '../wire';
import { domainName, netWords, roots, utc } from '../words';

/** A baseline older than this says that it is old, in seconds. */
const FRESH_S = 3600;

/** Net beside gross where a baseline is known, what that rests on, and this process's share or why it has none. */
export function aboveIdleWords(measurement: IMeasurement): string {
  const parts: string[] = [];
  if (measurement.net_j !== null) {
    const idle = idleSentences(measurement).join('; ');
    parts.push(netWords(measurement));
    parts.push(
      `idling would have cost ${joules(idle_j(measurement), measurement.method)}${idle ? ` (${idle})` : ''}`
    );
  }
  const share = shareWords(measurement);
  if (share) {
    parts.push(measurement.process_j !== null ? share : `this process's share is ${share}`);
  }
  return parts.join(' · ');
}

/** What idling would have cost; null where a root has no baseline. */
function idle_j(measurement: IMeasurement): number | null {
  const parts = roots(measurement).map(part => part.idle_j);
  return parts.includes(null) ? null : parts.reduce<number>((sum, part) => sum + (part ?? 0), 0);
}

/** Each domain's idle power and where it comes from; domains that rest on the same are one sentence. */
function idleSentences(measurement: IMeasurement): string[] {
  const sentences = new Map<string, string[]>();
  for (const part of roots(measurement)) {
    const seen_s = measurement.duration_s * part.coverage;
    if (part.idle_j === null || !part.idle_basis || seen_s <= 0) {
      continue;
    }
    const basis = basisWords(part.idle_basis, measurement.started_at);
    const power = `${domainName(part, 24)} ${watts(part.idle_j / seen_s, part.method)}`;
    sentences.set(basis, [...(sentences.get(basis) ?? []), power]);
  }
  return Array.from(sentences, ([basis, powers]) => `${powers.join(', ')}, ${basis}`);
}

function basisWords(basis: NonNullable<IDomainEnergy['idle_basis']>, at: string): string {
  if (basis.origin === 'model') {
    return "the idle figure of the estimate's model";
  }
  const age_s = basis.as_of === null ? NaN : (utc(at) - utc(basis.as_of)) / 1000;
  const how = basis.origin === 'asked' ? 'measured' : 'learnt';
  const busy = basis.busy === null ? '' : `, the machine ${percent(basis.busy)} busy`;
  const words = `${how} ${ago(age_s)} over ${seconds(basis.over_s)}${busy}`;
  return age_s > FRESH_S ? `${words}; older than an hour: measure again with %energy_baseline` : words;
}

function ago(age_s: number): string {
  if (age_s < 0) {
    return 'just after';
  }
  return age_s >= 60 ? `${seconds(60 * Math.round(age_s / 60))} ago` : 'just before';
}

/** This process's joules and that a model says so; or why there are none, where that is known. */
function shareWords(measurement: IMeasurement): string {
  if (measurement.process_j !== null) {
    return `~${joules(measurement.process_j)} by this process, a model's share of what is above idle`;
  }
  const reasons = roots(measurement)
    .filter(part => part.process_j === null)
    .map(part => plain(part.process_note ?? '', 120))
    .filter(reason => reason);
  return reasons.length ? `not known: ${Array.from(new Set(reasons)).join('; ')}` : '';
}
