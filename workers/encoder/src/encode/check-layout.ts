import type { EncodeJob } from '@epd/connector';
import type { ImageCost } from '@epd/model/geometry';
import { EncoderError } from '../errors.ts';

/**
 * The decoder builds its prompt from the size that the image was accepted with. With another layout
 * the tiles would be read in another order, even if their number is the same: 2 x 3 is not 3 x 2.
 * Throws `image_size_mismatch`.
 */
export function checkLayout(
  found: ImageCost,
  { input, tokens }: Pick<EncodeJob, 'input' | 'tokens'>,
  layoutOf: (input: EncodeJob['input']) => ImageCost,
): void {
  const promised = layoutOf(input);
  const same = promised.rows === found.rows && promised.cols === found.cols;
  if (same && found.tokens === tokens) return;
  throw new EncoderError(
    'image_size_mismatch',
    `The image is laid out as ${shown(found)}; it was accepted as ${shown({ ...promised, tokens })}`,
  );
}

const shown = ({ rows, cols, tokens }: Pick<ImageCost, 'rows' | 'cols' | 'tokens'>): string =>
  `${rows} × ${cols} tiles with ${tokens} visual tokens`;
