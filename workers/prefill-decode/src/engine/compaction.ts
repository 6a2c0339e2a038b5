import type { Sequence } from './sequence.ts';
import type { Slots } from './slots.ts';

/**
 * A decode run covers neighbouring slots, and a slot in between that does not decode costs a row for
 * nothing. Up to this share of the range is left so: moving a sequence costs about as much as a row
 * of a step, so a hole is worth closing unless the range is long.
 */
const WASTE_SHARE = 1 / 8;

/** Moves decoding sequences together where that is worth it; returns the range that covers them. */
export function compact(
  slots: Slots,
  decoding: readonly Sequence[],
): { first: number; end: number } {
  if (decoding.length === 0) return { first: 0, end: 0 };
  for (;;) {
    const taken = decoding.map((sequence) => sequence.slot ?? 0).toSorted((a, b) => a - b);
    const [first = 0] = taken;
    const last = taken.at(-1) ?? 0;
    const range = last + 1 - first;
    if (range - taken.length <= Math.floor(range * WASTE_SHARE)) return { first, end: last + 1 };
    const hole = taken.findIndex((slot, index) => slot !== first + index) + first;
    slots.swap(last, hole);
  }
}
