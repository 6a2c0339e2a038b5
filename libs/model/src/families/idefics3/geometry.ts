import type { ImageCost } from '../../family/image-cost.ts';
import { ImageShapeError } from '../../errors.ts';
import type { ImageSize } from '../../image-size.ts';
import type { FrameRules } from './frames.ts';

/** Images cut into tiles, and frames of videos, which are not. The arithmetic is that of Hugging Face's Idefics3 image processor. */
export interface Idefics3Geometry {
  readonly family: 'idefics3';
  /** The image is first scaled so that its longer side has this many pixels; null: it is not scaled. */
  readonly longestEdge: number | null;
  /** Side, in pixels, of the square that the vision encoder takes. */
  readonly tileEdge: number;
  /** Whether an image larger than a tile is cut into tiles, with a small copy of the whole added. */
  readonly splits: boolean;
  /** Absent: the model was not trained on videos. */
  readonly frames?: FrameRules;
  /** Embeddings that a tile yields. */
  readonly rowsPerTile: number;
  /** Tokens, in the prompt, of what stands around the image tokens. */
  readonly markers: {
    /** Before and after a whole image: two, and one that says "whole". */
    readonly whole: number;
    /** Before each tile: a separator and the tile's row and column. */
    readonly tile: number;
    /** After each row of tiles but the last. */
    readonly rowEnd: number;
    /** After the last row. */
    readonly lastRowEnd: number;
  };
}

export interface Idefics3Layout extends ImageCost {
  /** Squares that the vision encoder sees: the tiles and the whole. */
  readonly tiles: number;
  /** Size after the first scaling, in pixels. */
  readonly resized: ImageSize;
  /** Size that it is then stretched to: a multiple of the tile's. */
  readonly canvas: ImageSize;
}

export function idefics3Layout(
  geometry: Idefics3Geometry,
  width: number,
  height: number,
): Idefics3Layout {
  const resized = scaled({ width, height }, geometry.longestEdge);
  const canvas = canvasOf(resized, geometry);
  const { rows, cols } = cuts(canvas, geometry);
  const tiles = rows * cols + 1;
  const tokens = tiles * geometry.rowsPerTile;
  return {
    rows,
    cols,
    tiles,
    tokens,
    expansion: tokens + markers(geometry, rows, cols),
    resized,
    canvas,
  };
}

/** A frame of a video is one tile, whatever its size. Throws `ImageShapeError` if the model has no videos. */
export function frameLayout(
  geometry: Idefics3Geometry,
  width: number,
  height: number,
): Idefics3Layout {
  const { frames, tileEdge, rowsPerTile, markers: cost } = geometry;
  if (frames === undefined) throw new ImageShapeError('This model was not trained on videos');
  const canvas = { width: tileEdge, height: tileEdge };
  const expansion = rowsPerTile + cost.whole;
  const resized = frameSize({ width, height }, frames.longestEdge);
  return { rows: 0, cols: 0, tiles: 1, tokens: rowsPerTile, expansion, resized, canvas };
}

/** The shorter side is cut off, then made even. */
function frameSize({ width, height }: ImageSize, longest: number): ImageSize {
  const aspect = width / height;
  return width >= height
    ? { width: longest, height: even(Math.floor(longest / aspect)) }
    : { width: even(Math.floor(longest * aspect)), height: longest };
}

const even = (side: number): number => Math.max(1, side + (side % 2));

/** Rounds as the yardstick does: two decimals, then down. A side never vanishes. */
function scaled(size: ImageSize, longestEdge: number | null): ImageSize {
  if (longestEdge === null) return size;
  const factor = Math.min(longestEdge / size.width, longestEdge / size.height);
  const side = (pixels: number): number =>
    Math.max(1, Math.floor(Number((pixels * factor).toFixed(2))));
  return { width: side(size.width), height: side(size.height) };
}

function canvasOf({ width, height }: ImageSize, { splits, tileEdge }: Idefics3Geometry): ImageSize {
  if (!splits) return { width: tileEdge, height: tileEdge };
  const ceil = (pixels: number): number => Math.ceil(pixels / tileEdge) * tileEdge;
  const aspect = width / height;
  if (width >= height) {
    const wide = ceil(width);
    return { width: wide, height: Math.max(tileEdge, ceil(Math.floor(wide / aspect))) };
  }
  const high = ceil(height);
  return { width: Math.max(tileEdge, ceil(Math.floor(high * aspect))), height: high };
}

function cuts(
  canvas: ImageSize,
  { splits, tileEdge }: Idefics3Geometry,
): { rows: number; cols: number } {
  const fits = canvas.width <= tileEdge && canvas.height <= tileEdge;
  if (!splits || fits) return { rows: 0, cols: 0 };
  return { rows: canvas.height / tileEdge, cols: canvas.width / tileEdge };
}

function markers({ markers: cost }: Idefics3Geometry, rows: number, cols: number): number {
  if (rows === 0) return cost.whole;
  return rows * cols * cost.tile + (rows - 1) * cost.rowEnd + cost.lastRowEnd + cost.whole;
}
