import type { MarkupPart } from '../../family/family.ts';
import type { Idefics3Layout } from './geometry.ts';

/** How this family writes an image into a prompt: separators, tile names and image tokens. */

export const IMAGE_TOKEN = '<image>';
const SEPARATOR = '<fake_token_around_image>';
const WHOLE = '<global-img>';

export const ROW_END = '\n';
export const LAST_ROW_END = '\n\n';
export const WHOLE_START = `${SEPARATOR}${WHOLE}`;
export const WHOLE_END = SEPARATOR;
export const tileStart = (row: number, col: number): string =>
  `${SEPARATOR}<row_${row}_col_${col}>`;

/** What replaces an image's placeholder. Tiles come row by row, the whole image last. */
export function imageMarkup(layout: Idefics3Layout): MarkupPart[] {
  const { rows, cols, tiles, tokens } = layout;
  const tile = { rows: tokens / tiles };
  const parts: MarkupPart[] = [];
  for (const row of range(rows)) {
    for (const col of range(cols)) parts.push({ text: tileStart(row, col) }, tile);
    parts.push({ text: row === rows ? LAST_ROW_END : ROW_END });
  }
  return [...parts, { text: WHOLE_START }, tile, { text: WHOLE_END }];
}

const range = (length: number): number[] => Array.from({ length }, (_, index) => index + 1);
