import type { ImageCost } from '../../family/image-cost.ts';

/** Every image becomes a square of the same size, and the same number of rows. */
export interface FixedGridGeometry {
  readonly family: 'fixed-grid';
  /** Side of the square, in pixels. */
  readonly edge: number;
  readonly rowsPerImage: number;
  /** Tokens, in the prompt, of what stands around the rows. */
  readonly markers: number;
}

export function fixedGridLayout({ rowsPerImage, markers }: FixedGridGeometry): ImageCost {
  return { rows: 0, cols: 0, tokens: rowsPerImage, expansion: rowsPerImage + markers };
}
