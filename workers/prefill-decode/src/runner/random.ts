/**
 * A number in [0, 1) that depends only on its arguments. So sampling depends neither on the rest of
 * the batch nor on whether another worker started the sequence.
 */
export function uniformAt(seed: number, choice: number, position: number): number {
  const low = mix(mix(mix(seed) ^ choice) ^ position);
  const high = mix(low ^ 0x9e37_79b9);
  return (low * 2 ** 21 + (high >>> 11)) / 2 ** 53;
}

/** The finalizer of MurmurHash3: every bit of the input moves half of the output's. */
function mix(value: number): number {
  let h = (value + 0x6d2b_79f5) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
