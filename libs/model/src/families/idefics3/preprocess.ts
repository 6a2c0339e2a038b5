import {
  copySquare,
  normalize,
  stretch,
  type Normalization,
  type Planes,
} from '../../pixels/planes.ts';
import type { PreparedImage, Preprocess, Shape } from '../../family/preprocess.ts';
import type { RgbImage } from '../../pixels/rgb-image.ts';
import { sharedFloats } from '../../pixels/shared-floats.ts';
import { readPreprocessor, type Idefics3Preprocessor } from './config.ts';
import {
  frameLayout,
  idefics3Layout,
  type Idefics3Geometry,
  type Idefics3Layout,
} from './geometry.ts';

/** Pillow's bilinear, which the reference takes when a model's files do not say. */
const DEFAULT_RESAMPLE = 2;
/** Bicubic: what the reference falls back to for videos, whatever the files say. */
const FRAME_RESAMPLE = 3;

/**
 * Pixels as Hugging Face's Idefics3 image processor makes them: scaled to the longest edge, stretched
 * to whole tiles, cut, a small copy of the whole last.
 */
export const idefics3Preprocess: Preprocess<Idefics3Geometry> = (files, geometry, resizers) => {
  const config = readPreprocessor(files);
  const normalization = normalizationOf(config);
  const side = geometry.tileEdge;
  const frameOf = async (image: RgbImage): Promise<PreparedImage> => {
    const layout = frameLayout(geometry, image.width, image.height);
    const scaled = await resizers.antialiased(image, layout.resized, FRAME_RESAMPLE);
    const square = await resizers.antialiased(scaled, layout.canvas, FRAME_RESAMPLE);
    const data = sharedFloats(3 * side * side);
    copySquare(normalize(square, normalization), { left: 0, top: 0 }, side, data, 0);
    return { layout, ...idefics3Shape(geometry), data };
  };
  return async (image, isFrame = false) => {
    if (isFrame) return frameOf(image);
    const layout = idefics3Layout(geometry, image.width, image.height);
    const resample = config.resample ?? DEFAULT_RESAMPLE;
    const resized = await resizers.sampled(image, layout.resized, resample);
    const canvas = stretch(normalize(resized, normalization), layout.canvas);
    return {
      layout,
      rows: layout.tokens,
      parts: layout.tiles,
      dims: [3, side, side],
      grid: null,
      data: cut(canvas, layout, side),
    };
  };
};

/** One tile. */
export const idefics3Shape: Shape<Idefics3Geometry> = ({ tileEdge, rowsPerTile }) => ({
  rows: rowsPerTile,
  parts: 1,
  dims: [3, tileEdge, tileEdge],
  grid: null,
});

function normalizationOf(config: Idefics3Preprocessor): Normalization {
  const normalizes = config.do_normalize ?? true;
  return {
    factor: (config.do_rescale ?? true) ? (config.rescale_factor ?? 1 / 255) : 1,
    mean: normalizes ? (config.image_mean ?? []) : [],
    std: normalizes ? (config.image_std ?? []) : [],
  };
}

function cut(
  canvas: Planes,
  layout: Idefics3Layout,
  side: number,
): Float32Array<SharedArrayBuffer> {
  const { rows, cols, tiles } = layout;
  const size = 3 * side * side;
  const out = sharedFloats(tiles * size);
  for (let tile = 0; tile < rows * cols; tile += 1) {
    const corner = { left: (tile % cols) * side, top: Math.floor(tile / cols) * side };
    copySquare(canvas, corner, side, out, tile * size);
  }
  const whole = stretch(canvas, { width: side, height: side });
  copySquare(whole, { left: 0, top: 0 }, side, out, rows * cols * size);
  return out;
}
