/**
 * Possible slot lengths: powers of two and 1.5 times them, so that slots grow seldom and waste at
 * most half. The last is the longest possible length.
 */
export function lengthBuckets(longest: number): number[] {
  const buckets: number[] = [];
  for (let size = 128; size < longest; size *= 2) {
    buckets.push(size);
    if (size * 1.5 < longest && size >= 128) buckets.push(size * 1.5);
  }
  return [...buckets, longest];
}

/** The shortest bucket for `length` tokens. */
export function bucketFor(buckets: readonly number[], length: number): number {
  const found = buckets.find((bucket) => bucket >= length);
  if (found === undefined) throw new RangeError(`No bucket holds ${length} tokens`);
  return found;
}
