import type { ImageLayout } from './geometry.ts';
import { IMAGE_TOKEN } from './special-tokens.ts';

/** How this family writes an image into a prompt: separators, tile names and image tokens. */

const SEPARATOR = '<fake_token_around_image>';
const WHOLE = '<global-img>';

export const ROW_END = '\n';
export const LAST_ROW_END = '\n\n';
export const wholeMarkup = (imageTokens: string): string =>
  `${SEPARATOR}${WHOLE}${imageTokens}${SEPARATOR}`;
export const tileStart = (row: number, col: number): string =>
  `${SEPARATOR}<row_${row}_col_${col}>`;

/** What replaces an image's placeholder. Tiles come row by row, the whole image last. */
export function imageMarkup(layout: ImageLayout): string {
  const { rows, cols, tiles, tokens } = layout;
  const imageTokens = IMAGE_TOKEN.repeat(tokens / tiles);
  if (rows === 0) return wholeMarkup(imageTokens);
  const tileRows = range(rows).map((row) =>
    range(cols)
      .map((col) => tileStart(row, col) + imageTokens)
      .join(''),
  );
  return tileRows.join(ROW_END) + LAST_ROW_END + wholeMarkup(imageTokens);
}

const range = (length: number): number[] => Array.from({ length }, (_, index) => index + 1);
