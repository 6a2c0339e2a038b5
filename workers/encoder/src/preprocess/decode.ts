import type { RgbImage } from '@epd/model/preprocess';
import sharp, { type Sharp } from 'sharp';
import { EncoderError } from '../errors.ts';

/** Loaders of libvips that are let in. The others parse documents, vectors and rare formats. */
const LOADERS = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'];

sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: LOADERS.map((loader) => `VipsForeignLoad${loader}`) });
// Every image passes once: what libvips would keep of one is of no use to the next.
sharp.cache(false);

/**
 * The first frame of an image file. Transparency is dropped, not blended, as the reference does.
 * Throws `EncoderError`: `image_unsupported`, `image_too_large`, `image_broken`.
 */
export async function decodeImage(
  bytes: Uint8Array,
  limits: { readonly maxPixels: number },
): Promise<RgbImage> {
  try {
    const input = sharp(bytes, { failOn: 'error', limitInputPixels: limits.maxPixels });
    return await rawRgb(input.autoOrient());
  } catch (error) {
    throw refusal(error as Error, limits.maxPixels);
  }
}

export async function rawRgb(image: Sharp): Promise<RgbImage> {
  const { data, info } = await image
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (info.channels === 3) return { data, width: info.width, height: info.height };
  throw new EncoderError('image_unsupported', `The image has ${info.channels} channels, not 3`);
}

/** sharp tells its reasons in words only; these are the words of its two limits. */
function refusal(cause: Error, maxPixels: number): EncoderError {
  if (cause instanceof EncoderError) return cause;
  if (/unsupported image format/i.test(cause.message)) {
    return new EncoderError('image_unsupported', 'The image is of no supported format', { cause });
  }
  if (/pixel limit/i.test(cause.message)) {
    const message = `The image has more than ${maxPixels} pixels`;
    return new EncoderError('image_too_large', message, { cause });
  }
  const message = `The image cannot be decoded: ${firstLine(cause.message)}`;
  return new EncoderError('image_broken', message, { cause });
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';
