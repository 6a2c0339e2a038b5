/**
 * The largest difference of logits, as a share of the largest, of tokens computed together and one
 * by one: rounding alone gives a hundredth of it, a graph that quantizes a run's activations
 * together ten times as much.
 */
const DIFFERENCE_MAX = 1e-3;

/** How many of the wanted drafts a decoder may verify; 0 where a token depends on those computed with it. */
export const allowedDrafts = (
  wanted: number,
  { chunkDifference }: { readonly chunkDifference: number },
): number => (chunkDifference <= DIFFERENCE_MAX ? wanted : 0);
