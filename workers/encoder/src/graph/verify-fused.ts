import { NotRewritableError, relativeDifference } from '@epd/graph';
import { sharedFloats, type VisionItem, type VisionShape } from '@epd/model/preprocess';
import type { VisionOptions } from '../session/vision-messages.ts';
import { VisionSession } from '../session/vision-session.ts';

/** Tolerated difference, as a share of the largest value: sums are computed in another order. */
const TOLERANCE = 1e-3;
const PARTS = 2;

/**
 * Runs both graphs on the same noise. Returns the difference, for the log. Throws
 * `NotRewritableError` when the embeddings differ, or the fused graph does not run.
 */
export async function verifyFused(
  original: string,
  fused: string,
  options: VisionOptions,
): Promise<string> {
  const expected = await embeddingsOf(original, options);
  const actual = await embeddingsOf(fused, options).catch((cause: unknown) => {
    throw new NotRewritableError(`the fused graph does not run: ${String(cause)}`, { cause });
  });
  const difference = relativeDifference([expected], [actual]);
  if (!(difference <= TOLERANCE))
    throw new NotRewritableError(`the fused graph's embeddings differ by ${difference}`);
  return `fused; embeddings differ by at most ${difference.toExponential(1)} of the largest`;
}

async function embeddingsOf(path: string, options: VisionOptions): Promise<Float32Array> {
  const session = await VisionSession.open(path, options);
  try {
    const [embedding] = await session.encode([noise(options.shape)], PARTS);
    return new Float32Array(embedding?.data.buffer as ArrayBuffer);
  } finally {
    await session.release();
  }
}

/** Deterministic noise in the range of pixels. */
function noise(shape: VisionShape): VisionItem {
  // Of what goes with a grid, an item is one part.
  const parts = shape.grid === null ? PARTS : shape.parts;
  const values = shape.dims.reduce((product, size) => product * size, parts);
  const data = sharedFloats(values);
  for (let i = 0; i < values; i++) data[i] = Math.sin(i * 12.9898);
  return { ...shape, parts, rows: (shape.rows / shape.parts) * parts, data };
}
