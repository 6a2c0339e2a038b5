import type { Cell } from '../table.ts';
import { agreement, dHash } from './dhash.ts';
import { meanAveragePrecision, recallOfOriginal, type Similarity } from './recall.ts';
import { drawScenes } from './scenes.ts';
import { VARIANTS } from './variants.ts';

/** A row for each change, and one for the main object: of pooled rows, and of a perceptual hash. */
export async function retrieval(
  pooled: (png: Buffer) => Promise<Float32Array>,
  count: number,
): Promise<Cell[][]> {
  const scenes = await drawScenes(count, 7);
  const originals = scenes.map(({ png }) => png);
  const labels = scenes.map(({ mainObject }) => mainObject);
  const byRows = await inTurn(originals, pooled);
  const byHash = await inTurn(originals, dHash);
  const rows: Cell[][] = [];
  for (const [name, change] of Object.entries(VARIANTS)) {
    const copies = await inTurn(originals, change);
    rows.push([
      `recall@1, ${name}`,
      recallOfOriginal(byRows, await inTurn(copies, pooled), cosine),
      recallOfOriginal(byHash, await inTurn(copies, dHash), agreement),
    ]);
  }
  const precision = <D>(pictures: readonly D[], similarity: Similarity<D>) =>
    meanAveragePrecision(pictures, labels, similarity);
  return [
    ...rows,
    [
      'mean average precision by main object',
      precision(byRows, cosine),
      precision(byHash, agreement),
    ],
  ];
}

async function inTurn<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  for (const one of all) done.push(await work(one));
  return done;
}

/** Of normalised vectors. */
const cosine = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0);
