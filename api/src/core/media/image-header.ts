import { PictureError, readPictureHeader, type PictureType } from '@epd/picture';
import { ApiError, type ApiErrorCode } from '../../http/errors.ts';

export interface ImageHeader {
  readonly mediaType: PictureType;
  /** Pixels as shown: with the EXIF orientation applied. */
  readonly width: number;
  readonly height: number;
}

/** The longest side that the format's own readers accept without trouble. */
const MAX_SIDE = 32_767;

/**
 * What a picture's header says, without decoding a pixel. Throws `unsupported_image_type`,
 * `animated_image`, `invalid_image` and `image_too_many_pixels`.
 */
export async function readImageHeader(
  bytes: Uint8Array,
  maxPixels: number,
  param: string,
): Promise<ImageHeader> {
  const { frames, ...header } = await readPictureHeader(bytes).catch((error: unknown) => {
    throw refusal(error, bytes, param);
  });
  const { width, height } = header;
  if (width > MAX_SIDE || height > MAX_SIDE || width * height > maxPixels) {
    const limit = `at most ${maxPixels}, and ${MAX_SIDE} a side, are allowed`;
    throw refused('image_too_many_pixels', param, `${width}×${height} pixels; ${limit}`);
  }
  if (frames > 1) {
    throw refused('animated_image', param, `expected a still picture, got ${frames} frames`);
  }
  return header;
}

function refusal(cause: unknown, bytes: Uint8Array, param: string): unknown {
  if (!(cause instanceof PictureError)) return cause;
  if (cause.code === 'unsupported') {
    const what = bytes.length === 0 ? 'no bytes' : 'bytes of another kind';
    const why = `expected a PNG, JPEG, WebP or GIF picture, got ${what}`;
    return refused('unsupported_image_type', param, why, cause);
  }
  return refused('invalid_image', param, "the picture's header is broken or cut off", cause);
}

const refused = (code: ApiErrorCode, param: string, why: string, cause?: unknown): ApiError =>
  new ApiError(code, `${param}: ${why}`, { param, cause });
