/** Similarity of two descriptions of pictures, larger for more alike. */
export type Similarity<D> = (a: D, b: D) => number;

/** Share of changed copies whose own original is nearer than any other picture; a tie is none. */
export function recallOfOriginal<D>(
  originals: readonly D[],
  copies: readonly D[],
  similarity: Similarity<D>,
): number {
  const found = copies.filter((copy, i) => {
    const own = similarity(copy, originals[i]!);
    return originals.every((other, j) => j === i || similarity(copy, other) < own);
  });
  return found.length / copies.length;
}

/** Mean average precision: of a ranking by likeness to each picture, pictures of the same label first. */
export function meanAveragePrecision<D>(
  pictures: readonly D[],
  labels: readonly string[],
  similarity: Similarity<D>,
): number {
  const precisions = pictures.flatMap((picture, i) => {
    const ranked = pictures
      .map((other, j) => ({ j, score: similarity(picture, other) }))
      .filter(({ j }) => j !== i)
      .toSorted((a, b) => b.score - a.score);
    const ranks = ranked.flatMap(({ j }, rank) => (labels[j] === labels[i] ? [rank + 1] : []));
    if (ranks.length === 0) return [];
    const sum = ranks.reduce((total, rank, hit) => total + (hit + 1) / rank, 0);
    return [sum / ranks.length];
  });
  return precisions.reduce((sum, each) => sum + each, 0) / precisions.length;
}
