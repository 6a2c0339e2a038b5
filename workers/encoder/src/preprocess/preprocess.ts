import type { ItemMaker, PreparedImage } from '@epd/model/preprocess';
import { decodePicture, PictureError } from '@epd/picture';
import { EncoderError, type EncoderErrorCode } from '../errors.ts';

export interface PreprocessOptions {
  readonly make: ItemMaker;
  /** Larger images, in pixels of the file, are refused before they are decoded. */
  readonly maxPixels: number;
  /** Of a video. @default false */
  readonly isFrame?: boolean;
}

/** Image file to what the vision graph takes. Throws `EncoderError`. */
export async function preprocess(
  bytes: Uint8Array,
  { make, maxPixels, isFrame = false }: PreprocessOptions,
): Promise<PreparedImage> {
  const picture = await decodePicture(bytes, { maxPixels }).catch((error: unknown) => {
    throw encoderErrorOf(error);
  });
  return make(picture, isFrame);
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
