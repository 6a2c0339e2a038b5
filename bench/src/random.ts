/** Numbers in [0, 1), the same for the same seed: Marsaglia's xorshift of 32 bits. */
export function uniform(seed: number): () => number {
  let state = seed === 0 ? 1 : seed | 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
