import type { Sharp } from 'sharp';
import { PictureError, pictureErrorOf } from './errors.ts';
import { openPicture } from './open-picture.ts';

/** Decoded pixels: 8 bits, interleaved RGB, turned as the EXIF orientation says. */
export interface RgbPicture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/**
 * What shows through where a picture is transparent, as in browsers and in the Python processors of
 * Idefics3 and SmolVLM. Dropping the alpha channel would show whatever colour lies under it, mostly black.
 */
const BACKGROUND = '#ffffff';

/** The first frame of a picture file. Throws `PictureError`. */
export async function decodePicture(
  bytes: Uint8Array,
  limits: { readonly maxPixels: number },
): Promise<RgbPicture> {
  try {
    return await rgbOf(openPicture(bytes, limits.maxPixels).autoOrient());
  } catch (error) {
    throw pictureErrorOf(error, limits.maxPixels);
  }
}

/** Runs a pipeline and takes its pixels. Throws `PictureError` for anything but three channels. */
export async function rgbOf(picture: Sharp): Promise<RgbPicture> {
  const { data, info } = await picture
    .flatten({ background: BACKGROUND })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (info.channels === 3) return { data, width: info.width, height: info.height };
  throw new PictureError('unsupported', `The picture has ${info.channels} channels, not 3`);
}
