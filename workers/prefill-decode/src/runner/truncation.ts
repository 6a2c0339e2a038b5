import type { Sampling } from '@epd/jobs';
import { largest } from './log-probabilities.ts';

/**
 * Turns logits into weights in place, where the likeliest token weighs 1, and sets to 0 those that
 * top_k, min_p and top_p exclude, in this order. Returns the sum of the weights. `temperature` is
 * above 0.
 */
export function weigh(logits: Float32Array, sampling: Sampling): number {
  const { temperature, topK, minP, topP } = sampling;
  if (topK > 0 && topK < logits.length) keepLargest(logits, topK);
  let max = -Infinity;
  for (const value of logits) if (value > max) max = value;
  let sum = 0;
  for (let id = 0; id < logits.length; id++) {
    const weight = Math.exp(((logits[id] as number) - max) / temperature);
    logits[id] = weight >= minP ? weight : 0;
    sum += logits[id] as number;
  }
  return topP < 1 ? keepNucleus(logits, sum, topP) : sum;
}

function keepLargest(logits: Float32Array, count: number): void {
  const kept = new Set(largest(logits, count));
  for (let id = 0; id < logits.length; id++) if (!kept.has(id)) logits[id] = -Infinity;
}

/**
 * Keeps the fewest likeliest tokens whose share reaches `topP`. Sorts only tokens above (1 - topP)
 * / V of the total: all others together are too small to be needed.
 */
function keepNucleus(weights: Float32Array, sum: number, topP: number): number {
  const floor = ((1 - topP) * sum) / weights.length;
  const candidates: number[] = [];
  for (let id = 0; id < weights.length; id++)
    if ((weights[id] as number) > floor) candidates.push(id);
  candidates.sort((a, b) => (weights[b] as number) - (weights[a] as number) || a - b);
  const kept: [number, number][] = [];
  let total = 0;
  for (const id of candidates) {
    if (total >= topP * sum) break;
    kept.push([id, weights[id] as number]);
    total += weights[id] as number;
  }
  weights.fill(0);
  for (const [id, weight] of kept) weights[id] = weight;
  return total;
}
