/** Measurements for tests: a GPU's counter, with only what a test is about filled in. */
import type { IRun } from '../tokens';
import type { IDomainEnergy, IMeasurement } from '../wire';

export function energy(gross_j: number, fields: Partial<IDomainEnergy> = {}): IDomainEnergy {
  return {
    kind: 'gpu',
    host: 'bench',
    device: 'GPU-5a7c',
    label: 'NVIDIA H200',
    gross_j,
    idle_j: null,
    net_j: null,
    process_j: null,
    u_j: 1,
    low_j: gross_j - 2,
    high_j: gross_j + 2,
    method: 'counter',
    coverage: 1,
    inside: null,
    ...fields
  };
}

export function measurement(gross_j: number, fields: Partial<IMeasurement> = {}): IMeasurement {
  return {
    schema: 1,
    id: 'w1',
    label: '',
    cell_id: 'a',
    execution_count: 1,
    parent_id: null,
    status: 'ok',
    started_at: '2026-03-01T12:00:00+00:00',
    duration_s: 2,
    host: 'bench',
    total_j: gross_j,
    low_j: gross_j - 2,
    high_j: gross_j + 2,
    net_j: null,
    net_u_j: null,
    process_j: null,
    mean_w: gross_j / 2,
    method: 'counter',
    partial: false,
    domains: [energy(gross_j)],
    faults: [],
    co2e_g: null,
    pue: null,
    intensity: null,
    overhead_s: 0.0001,
    ...fields
  };
}

let windows = 0;

/** A run of `cell_id` in a window of its own. */
export function run(cell_id: string | null, gross_j: number, fields: Partial<IMeasurement> = {}): IRun {
  const id = fields.id ?? `window-${++windows}`;
  return {
    t0_s: windows,
    t1_s: windows + 1,
    source: 'fit()',
    measurement: measurement(gross_j, { ...fields, cell_id, id })
  };
}
