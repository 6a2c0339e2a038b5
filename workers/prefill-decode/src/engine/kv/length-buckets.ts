/**
 * Lengths that slots may have: powers of two and one and a half times them, so that a longer one comes
 * seldom and never wastes more than half. The last is the longest that is possible at all.
 */
export function lengthBuckets(longest: number): number[] {
  const buckets: number[] = [];
  for (let size = 128; size < longest; size *= 2) {
    buckets.push(size);
    if (size * 1.5 < longest && size >= 128) buckets.push(size * 1.5);
  }
  return [...buckets, longest];
}

/** The shortest bucket that holds `length` tokens. */
export function bucketFor(buckets: readonly number[], length: number): number {
  const found = buckets.find((bucket) => bucket >= length);
  if (found === undefined) throw new RangeError(`No bucket holds ${length} tokens`);
  return found;
}
