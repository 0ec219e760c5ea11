/** The chart in words, for those who do not see it. */
import type { TranslationBundle } from '@jupyterlab/translation';

import { seconds, watts } from '../format';
import type { IBand } from './bands';
import { PARTIAL, type Stack, WHOLE } from './geometry';
import type { ILayer } from './layers';

/** "Power over 5 min: 139 W now, between 42 W and 151 W. GPU 0 96 W, CPU ~43 W. 2 cells ran." */
export function summary(
  stack: Stack,
  layers: readonly ILayer[],
  bands: readonly IBand[],
  span_s: number,
  trans: TranslationBundle
): string {
  const last = lastRead(stack);
  const span = span_s < 120 ? `${span_s} s` : seconds(span_s);
  if (last < 0) {
    return trans.__('Power over %1: no reading yet.', span);
  }
  const method = layers.some(layer => layer.estimated) ? 'estimated' : null;
  const [low, high] = bounds(stack);
  const parts = layers.map((layer, index) => {
    const own_w = stack.layer_w(index, last);
    const text = Number.isNaN(own_w)
      ? trans.__('no reading')
      : watts(own_w, layer.estimated ? 'estimated' : null);
    return `${layer.label} ${text}`;
  });
  const sentences = [
    trans.__(
      'Power over %1: %2 now, between %3 and %4.',
      span,
      watts(stack.total_w(last), method),
      watts(low, method),
      watts(high, method)
    ),
    `${parts.join(', ')}.`,
    trans._n('%1 cell ran.', '%1 cells ran.', bands.length)
  ];
  if (someMissing(stack)) {
    sentences.push(trans.__('Some readings are missing.'));
  }
  return sentences.join(' ');
}

function lastRead(stack: Stack): number {
  let bin = stack.length - 1;
  while (bin >= 0 && stack.state[bin] > PARTIAL) {
    bin--;
  }
  return bin;
}

function bounds(stack: Stack): [number, number] {
  let low = Infinity;
  let high = 0;
  for (let bin = 0; bin < stack.length; bin++) {
    const total_w = stack.total_w(bin);
    if (!Number.isNaN(total_w)) {
      low = Math.min(low, total_w);
      high = Math.max(high, total_w);
    }
  }
  return [low, high];
}

function someMissing(stack: Stack): boolean {
  return stack.state.subarray(0, stack.length).some(state => state !== WHOLE && state <= 2);
}
