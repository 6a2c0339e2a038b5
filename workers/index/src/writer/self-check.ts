import type { EmbeddingIndex } from '../table/embedding-index.ts';
import type { ImageRow } from '../table/image-row.ts';

/** Rows that are looked for by way of both methods; an exact search of 100,000 rows takes half a second. */
const SAMPLE = 10;
const HITS = 10;

/**
 * Recall of the index's approximate search, 0 to 1: of the nearest rows that an exact search finds, for a
 * sample of the newest rows, how many it finds too. Null when there is nothing to look for.
 */
export async function selfCheck(table: EmbeddingIndex, sample: readonly ImageRow[]) {
  let found = 0;
  let sought = 0;
  for (const { tenant, vector } of sample.slice(0, SAMPLE)) {
    const selection = { tenant, filter: {} };
    const exact = await table.query(vector, selection, HITS, { exact: true });
    const searched = await table.query(vector, selection, HITS);
    // Rows as near as the last exact one are as good as it.
    const least = Math.min(...exact.map(({ score }) => score)) - SAME_SCORE;
    sought += exact.length;
    found += Math.min(exact.length, searched.filter(({ score }) => score >= least).length);
  }
  return sought === 0 ? null : found / sought;
}

/** Scores that differ by less are equal: both methods sum in another order. */
const SAME_SCORE = 1e-5;
