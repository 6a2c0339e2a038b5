import {
  imageLayout,
  type ImageGeometry,
  type ImageLayout,
  type PreprocessorConfig,
} from '@epd/model';
import { decodePicture, PictureError } from '@epd/picture';
import { EncoderError, type EncoderErrorCode } from '../errors.ts';
import { copySquare, normalize, stretch, type Normalization, type Planes } from './planes.ts';
import { resizeImage } from './resize.ts';

/** What the vision encoder takes of one image: `[tiles, 3, side, side]`. */
export interface Pixels {
  readonly layout: ImageLayout;
  readonly side: number;
  /** Over shared memory: it goes to the model's thread without a copy, and stays here for a retry. */
  readonly data: Float32Array<SharedArrayBuffer>;
}

export interface PreprocessOptions {
  readonly geometry: ImageGeometry;
  readonly config: PreprocessorConfig;
  /** Larger images, in pixels of the file, are refused before they are decoded. */
  readonly maxPixels: number;
}

/**
 * Image file to pixels, as Hugging Face's Idefics3 image processor makes them: scaled to the longest
 * edge, stretched to whole tiles, cut, a small copy of the whole last. Throws `EncoderError`.
 */
export async function preprocess(bytes: Uint8Array, options: PreprocessOptions): Promise<Pixels> {
  const { geometry, config, maxPixels } = options;
  const image = await decodePicture(bytes, { maxPixels }).catch((error: unknown) => {
    throw encoderErrorOf(error);
  });
  const layout = imageLayout(geometry, image.width, image.height);
  const resized = await resizeImage(image, layout.resized, config.resample ?? DEFAULT_RESAMPLE);
  const canvas = stretch(normalize(resized, normalizationOf(config)), layout.canvas);
  return { layout, side: geometry.tileEdge, data: cut(canvas, layout, geometry.tileEdge) };
}

const ERROR_CODES = {
  broken: 'image_broken',
  too_many_pixels: 'image_too_large',
  unsupported: 'image_unsupported',
} as const satisfies Record<PictureError['code'], EncoderErrorCode>;

const encoderErrorOf = (cause: unknown): unknown =>
  cause instanceof PictureError
    ? new EncoderError(ERROR_CODES[cause.code], cause.message, { cause })
    : cause;

/** Pillow's bilinear, which the reference takes when a model's files do not say. */
const DEFAULT_RESAMPLE = 2;

function normalizationOf(config: PreprocessorConfig): Normalization {
  const normalizes = config.do_normalize ?? true;
  return {
    factor: (config.do_rescale ?? true) ? (config.rescale_factor ?? 1 / 255) : 1,
    mean: normalizes ? (config.image_mean ?? []) : [],
    std: normalizes ? (config.image_std ?? []) : [],
  };
}

function cut(canvas: Planes, layout: ImageLayout, side: number): Float32Array<SharedArrayBuffer> {
  const { rows, cols, tiles } = layout;
  const size = 3 * side * side;
  const bytes = tiles * size * Float32Array.BYTES_PER_ELEMENT;
  const out = new Float32Array(new SharedArrayBuffer(bytes));
  for (let tile = 0; tile < rows * cols; tile += 1) {
    const corner = { left: (tile % cols) * side, top: Math.floor(tile / cols) * side };
    copySquare(canvas, corner, side, out, tile * size);
  }
  const whole = stretch(canvas, { width: side, height: side });
  copySquare(whole, { left: 0, top: 0 }, side, out, rows * cols * size);
  return out;
}
