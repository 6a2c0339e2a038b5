import { ImageShapeError } from '../../errors.ts';
import type { ImageCost } from '../../family/image-cost.ts';
import { roundHalfToEven } from '../../family/round-half-to-even.ts';

/** Images keep their shape: they are scaled to whole blocks of patches, as many as the pixels allow. */
export interface QwenVlGeometry {
  readonly family: 'qwen-vl';
  /** Side of a patch, in pixels. */
  readonly patch: number;
  /** Patches a side of a block; a block becomes one row. */
  readonly merge: number;
  /** How often an image stands in a patch: patches reach over so many frames. */
  readonly frames: number;
  readonly minPixels: number;
  readonly maxPixels: number;
  /** GLM: the limits count the pixels of all frames, and a side is never below a block. */
  readonly countsFrames: boolean;
}

export interface QwenVlLayout extends ImageCost {
  /** Size that the image is stretched to: a multiple of the block's. `rows` and `cols` count patches. */
  readonly width: number;
  readonly height: number;
}

/** Past this, scaling would tear a picture: the models were not trained on such. */
const ASPECT_MAX = 200;

/** Throws `ImageShapeError` for what is longer than 200 times its width. */
export function qwenVlLayout(
  geometry: QwenVlGeometry,
  width: number,
  height: number,
): QwenVlLayout {
  const { patch, merge } = geometry;
  const size = scaled(geometry, { width, height });
  const [rows, cols] = [size.height / patch, size.width / patch];
  const tokens = (rows * cols) / merge ** 2;
  return { rows, cols, tokens, expansion: tokens, ...size };
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The reference's `smart_resize`. */
function scaled(geometry: QwenVlGeometry, given: Size): Size {
  const { minPixels, maxPixels, countsFrames } = geometry;
  const factor = geometry.patch * geometry.merge;
  const { width, height } = countsFrames ? atLeastABlock(given, factor) : given;
  refuseAspect(width, height);
  const frames = countsFrames ? geometry.frames : 1;
  const rounded = each({ width, height }, (side) => roundHalfToEven(side / factor) * factor);
  const pixels = frames * rounded.width * rounded.height;
  if (pixels > maxPixels) {
    const beta = Math.sqrt((frames * width * height) / maxPixels);
    const floor = (side: number): number => Math.floor(side / beta / factor) * factor;
    return each({ width, height }, (side) => Math.max(factor, floor(side)));
  }
  if (pixels < minPixels) {
    const beta = Math.sqrt(minPixels / (frames * width * height));
    return each({ width, height }, (side) => Math.ceil((side * beta) / factor) * factor);
  }
  return rounded;
}

const each = (size: Size, change: (side: number) => number): Size => ({
  width: change(size.width),
  height: change(size.height),
});

function atLeastABlock(size: Size, factor: number): Size {
  if (size.width >= factor && size.height >= factor) return size;
  const scale = Math.max(factor / size.width, factor / size.height);
  return each(size, (side) => Math.floor(side * scale));
}

function refuseAspect(width: number, height: number): void {
  const aspect = Math.max(width, height) / Math.min(width, height);
  if (aspect <= ASPECT_MAX) return;
  throw new ImageShapeError(
    `An image of ${width}x${height} pixels is ${aspect.toFixed(1)} times as long as it is wide; this model takes at most ${ASPECT_MAX}`,
  );
}
