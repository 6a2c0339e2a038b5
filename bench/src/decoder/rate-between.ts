/**
 * Tokens per second of sequences that decode together, from when each token of each came, in
 * milliseconds: sequences begin one after another and end in the same order, counted is what lies between.
 */
export function rateBetween(times: readonly (readonly number[])[]): number {
  const start = Math.max(...times.map((each) => each[0] ?? 0));
  const end = Math.min(...times.map((each) => each.at(-1) ?? 0));
  const counted = times.flat().filter((time) => time > start && time <= end).length;
  return (1000 * counted) / (end - start);
}
