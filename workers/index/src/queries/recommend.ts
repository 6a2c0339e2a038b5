import type { EmbeddingIndex, ScoredRow } from '../table/embedding-index.ts';
import type { Selection } from '../table/where.ts';

/** Candidates near each example that are compared with all others, for each requested hit. */
const CANDIDATES_A_HIT = 4;
const MOST_CANDIDATES = 400;

/**
 * The direction from what is not wanted to what is: twice the mean of the positive examples less the mean of
 * the negative ones, as Qdrant's strategy of this name has it.
 */
export function averageVector(
  positive: readonly Float32Array[],
  negative: readonly Float32Array[],
): Float32Array {
  const wanted = mean(positive);
  if (negative.length === 0) return wanted;
  const unwanted = mean(negative);
  return wanted.map((value, i) => 2 * value - unwanted[i]!);
}

/**
 * Each candidate by its nearest example: that one's similarity if it is a positive one, minus it if it is a
 * negative one. Without positive examples the farthest from all negative ones come first.
 */
export async function bestScore(
  table: EmbeddingIndex,
  examples: {
    readonly positive: readonly Float32Array[];
    readonly negative: readonly Float32Array[];
  },
  selection: Selection,
  limit: number,
): Promise<ScoredRow[]> {
  const { positive, negative } = examples;
  const probes = positive.length > 0 ? positive : negative.map((vector) => vector.map((v) => -v));
  const each = Math.min(MOST_CANDIDATES, limit * CANDIDATES_A_HIT);
  const found = await Promise.all(probes.map((probe) => table.query(probe, selection, each)));
  const candidates = await table.find([...new Set(found.flat().map(({ id }) => id))]);
  return candidates
    .filter(({ deletedAtMs }) => deletedAtMs === 0)
    .map((row) => Object.assign(row, { score: scoreOf(row.vector, examples) }))
    .toSorted((a, b) => b.score - a.score)
    .slice(0, limit);
}

function scoreOf(
  vector: Float32Array,
  { positive, negative }: { positive: readonly Float32Array[]; negative: readonly Float32Array[] },
): number {
  const wanted = Math.max(...positive.map((example) => dot(vector, example)), -1);
  const unwanted = Math.max(...negative.map((example) => dot(vector, example)), -1);
  return wanted > unwanted ? wanted : -unwanted;
}

function mean(vectors: readonly Float32Array[]): Float32Array {
  const sum = new Float32Array(vectors[0]?.length ?? 0);
  for (const vector of vectors)
    for (let i = 0; i < sum.length; i += 1) sum[i]! += vector[i]! / vectors.length;
  return sum;
}

/** Vectors are normalised: this is the cosine of their angle. */
function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += a[i]! * b[i]!;
  return sum;
}
