import type { MultiModalFeature } from '@epd/connector';
import { EngineError } from '../errors.ts';

/** One image of a prompt, with the positions of its embeddings. */
export interface ImageSpan {
  /** Index among the request's features. */
  readonly index: number;
  readonly mmHash: string;
  readonly rows: number;
  /** The token index of row k of the embedding: ascending, `rows` of them. */
  readonly positions: readonly number[];
}

/**
 * Finds the image tokens of each feature. Throws `EngineError` when their number differs from its
 * rows.
 */
export function imageSpans(
  tokens: readonly number[],
  features: readonly MultiModalFeature[],
  imageTokenId: number,
): ImageSpan[] {
  return features.map(({ mmHash, offset, length, rows }, index) => {
    const positions: number[] = [];
    for (let at = offset; at < offset + length; at++)
      if (tokens[at] === imageTokenId) positions.push(at);
    if (positions.length === rows) return { index, mmHash, rows, positions };
    throw new EngineError(
      'invalid_request',
      `Image ${index} has ${rows} embeddings for ${positions.length} image tokens at ${offset}`,
      { image: index, rows, positions: positions.length },
    );
  });
}

/** The last token that needs the image; after it, the image is no longer needed. */
export const lastPosition = (span: ImageSpan): number => span.positions.at(-1) ?? -1;
