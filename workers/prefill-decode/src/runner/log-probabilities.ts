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

/** Entries that are looked at together: almost none of them holds a new maximum. */
const GROUP = 8;

/** The index of the largest entry, of equal ones the lowest. */
export function argmax(values: Float32Array): number {
  const grouped = values.length - (values.length % GROUP);
  let best = 0;
  for (let at = 0; at < grouped; at += GROUP) {
    if (someAbove(values, at, values[best] as number)) best = firstLargest(values, best, at);
  }
  return firstLargest(values, best, grouped);
}

/** Written out: half the time of a loop, once a token over a whole vocabulary. */
function someAbove(values: Float32Array, at: number, max: number): boolean {
  return (
    (values[at] as number) > max ||
    (values[at + 1] as number) > max ||
    (values[at + 2] as number) > max ||
    (values[at + 3] as number) > max ||
    (values[at + 4] as number) > max ||
    (values[at + 5] as number) > max ||
    (values[at + 6] as number) > max ||
    (values[at + 7] as number) > max
  );
}

/** The first of the group at `at` that is larger than all before it, or `best`. */
function firstLargest(values: Float32Array, best: number, at: number): number {
  const end = Math.min(at + GROUP, values.length);
  for (let id = at; id < end; id++) {
    if ((values[id] as number) > (values[best] as number)) best = id;
  }
  return best;
}
