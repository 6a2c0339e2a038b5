/** log of the sum of the exponentials, computed from the largest down so that nothing overflows. */
export function logSumExp(logits: Float32Array): number {
  let max = -Infinity;
  for (const value of logits) if (value > max) max = value;
  let sum = 0;
  for (const value of logits) sum += Math.exp(value - max);
  return max + Math.log(sum);
}

/** The `count` largest entries, largest first; equal ones by lower index. */
export function largest(values: Float32Array, count: number): number[] {
  const best: number[] = [];
  for (let id = 0; id < values.length; id++) {
    const value = values[id] ?? 0;
    if (best.length === count && value <= (values[best[count - 1] ?? 0] ?? 0)) continue;
    let at = best.length;
    while (at > 0 && (values[best[at - 1] ?? 0] ?? 0) < value) at--;
    best.splice(at, 0, id);
    if (best.length > count) best.pop();
  }
  return best;
}

export function argmax(values: Float32Array): number {
  let best = 0;
  let max = -Infinity;
  for (let id = 0; id < values.length; id++) {
    const value = values[id] as number;
    if (value > max) {
      max = value;
      best = id;
    }
  }
  return best;
}
