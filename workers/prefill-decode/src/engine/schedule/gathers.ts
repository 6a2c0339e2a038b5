import type { Gather } from '../../runner/messages.ts';
import type { ImageSpan } from '../sequences/image-span.ts';

/**
 * Which rows of which images go to the tokens `start .. end` of a prompt; adjacent rows are one
 * piece.
 */
export function gathersFor(images: readonly ImageSpan[], start: number, end: number): Gather[] {
  return images.flatMap(({ mmHash, positions }) => {
    const pieces: { mmHash: string; from: number; at: number; count: number }[] = [];
    for (const [row, position] of positions.entries()) {
      if (position < start || position >= end) continue;
      const last = pieces.at(-1);
      if (last && last.at + last.count === position - start) last.count++;
      else pieces.push({ mmHash, from: row, at: position - start, count: 1 });
    }
    return pieces;
  });
}
