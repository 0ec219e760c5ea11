/** The user's settings (schema/plugin.json) as the panel uses them: whatever is written there, this is in range. */
import type { IPanelSettings } from './tokens';

/** The plugin whose settings these are. */
export const SETTINGS_ID = 'greennb:plugin';

/** What holds where the user has set nothing. */
export const DEFAULTS: Readonly<IPanelSettings> = {
  autoStart: true,
  rate_hz: 2,
  units: 'J',
  badges: true,
  heat: true,
  budget_j: null,
  zone: '',
  pue: 0,
  history_min: 60
};

/** Settings from a registry's composite; a value of the wrong kind is its default, one out of range the nearest in range. */
export function parseSettings(composite: unknown): IPanelSettings {
  const from = isRecord(composite) ? composite : {};
  return {
    autoStart: flag(from.autoStart, DEFAULTS.autoStart),
    rate_hz: clamped(from.rate_hz, 1, 10, DEFAULTS.rate_hz),
    units: from.units === 'Wh' ? 'Wh' : 'J',
    badges: flag(from.badges, DEFAULTS.badges),
    heat: flag(from.heat, DEFAULTS.heat),
    budget_j: positive(from.budget_j),
    zone: typeof from.zone === 'string' ? from.zone.trim() : DEFAULTS.zone,
    pue: pue(from.pue),
    history_min: clamped(from.history_min, 1, 60, DEFAULTS.history_min)
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function flag(value: unknown, fallback: boolean): boolean {
  return typeof value === 'boolean' ? value : fallback;
}

function clamped(value: unknown, least: number, most: number, fallback: number): number {
  return typeof value === 'number' && Number.isFinite(value)
    ? Math.min(most, Math.max(least, value))
    : fallback;
}

function positive(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null;
}

/** A data centre cannot use less than its computers do: below 1 the kernel's own holds. */
function pue(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 1 ? Math.min(10, value) : 0;
}
