/** The largest difference of two lists of values, as a share of the largest value expected; infinite at NaN. */
export function relativeDifference(
  expected: readonly Float32Array[],
  actual: readonly Float32Array[],
): number {
  let largest = 0;
  let difference = 0;
  for (const [at, values] of expected.entries()) {
    for (const [index, value] of values.entries()) {
      largest = Math.max(largest, Math.abs(value));
      const other = actual[at]?.[index] ?? Number.NaN;
      // NaN compares false with everything: it must not pass for a small difference.
      difference = Number.isNaN(other) ? Infinity : Math.max(difference, Math.abs(value - other));
    }
  }
  return difference / largest;
}
