import type { ImageSize } from '@epd/model';
import { rgbOf, type RgbPicture } from '@epd/picture';
import sharp from 'sharp';

/** Pillow's numbers, as `resample` in a model's files has them. 4 and 5 fall back, as in the reference. */
const INTERPOLATORS: Readonly<Record<number, 'nearest' | 'bilinear' | 'bicubic'>> = {
  0: 'nearest',
  2: 'bilinear',
  3: 'bicubic',
};
const LANCZOS = 1;

/** Scales without keeping the aspect. Lanczos averages as it shrinks; the others only sample. */
export async function resizeImage(
  image: RgbPicture,
  size: ImageSize,
  resample: number,
): Promise<RgbPicture> {
  const { data, width, height } = image;
  if (width === size.width && height === size.height) return image;
  const input = sharp(data, { raw: { width, height, channels: 3 } });
  if (resample === LANCZOS) {
    return rgbOf(input.resize({ ...size, fit: 'fill', kernel: 'lanczos3' }));
  }
  const interpolator = INTERPOLATORS[resample] ?? 'bilinear';
  const matrix: [number, number, number, number] = [size.width / width, 0, 0, size.height / height];
  return rgbOf(input.affine(matrix, { interpolator }));
}
