import { imageSize } from 'image-size';
import { ApiError } from '../../http/errors.ts';
import { isAnimated } from './animation.ts';
import { sniffImageType, type ImageType } from './image-type.ts';
import { liesOnItsSide, swapsAxes } from './orientation.ts';

export interface ImageHeader {
  readonly mediaType: ImageType;
  /** Pixels as shown: with the EXIF orientation applied. */
  readonly width: number;
  readonly height: number;
}

/** The longest side that the format's own readers accept without trouble. */
const MAX_SIDE = 32_767;

/**
 * What a picture's first bytes say, without decoding a pixel. Throws `unsupported_image_type`,
 * `animated_image`, `invalid_image` and `image_too_many_pixels`.
 */
export function readImageHeader(bytes: Uint8Array, maxPixels: number, param: string): ImageHeader {
  const mediaType = sniffImageType(bytes);
  if (mediaType === null) {
    const what = bytes.length === 0 ? 'no bytes' : 'bytes of another kind';
    throw new ApiError(
      'unsupported_image_type',
      `${param}: expected a PNG, JPEG, WebP or GIF picture, got ${what}`,
      { param },
    );
  }
  const { width, height } = measure(bytes, mediaType, param);
  if (width > MAX_SIDE || height > MAX_SIDE || width * height > maxPixels) {
    throw new ApiError(
      'image_too_many_pixels',
      `${param}: ${width}×${height} pixels; at most ${maxPixels}, and ${MAX_SIDE} a side, are allowed`,
      { param },
    );
  }
  if (isAnimated(bytes, mediaType)) {
    throw new ApiError('animated_image', `${param}: expected a still picture, got an animation`, {
      param,
    });
  }
  return { mediaType, width, height };
}

function measure(
  bytes: Uint8Array,
  type: ImageType,
  param: string,
): { width: number; height: number } {
  try {
    const { width, height, orientation } = imageSize(ownMemory(bytes));
    const turned = swapsAxes(orientation) || liesOnItsSide(bytes, type);
    if (width >= 1 && height >= 1)
      return turned ? { width: height, height: width } : { width, height };
  } catch (error) {
    throw broken(param, error);
  }
  throw broken(param);
}

/** The reader looks past the end of a view into the memory that it is a view of. */
const ownMemory = (bytes: Uint8Array): Uint8Array =>
  bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);

const broken = (param: string, cause?: unknown): ApiError =>
  new ApiError('invalid_image', `${param}: the picture's header is broken or cut off`, {
    param,
    cause,
  });
