import type { ImageSize } from '@epd/model';
import type { Resizers, RgbImage } from '@epd/model/preprocess';
import { rgbOf } from '@epd/picture';
import sharp from 'sharp';

/** Pillow's numbers, as `resample` in a model's files has them. 4 and 5 fall back, as in the reference. */
const INTERPOLATORS: Readonly<Record<number, 'nearest' | 'bilinear' | 'bicubic'>> = {
  0: 'nearest',
  2: 'bilinear',
  3: 'bicubic',
};
const LANCZOS = 1;

/** The kernels that average as they shrink, by the same numbers. */
const KERNELS: Readonly<Record<number, 'nearest' | 'linear' | 'cubic' | 'lanczos3'>> = {
  0: 'nearest',
  1: 'lanczos3',
  2: 'linear',
  3: 'cubic',
};

export const resizers: Resizers = { sampled, antialiased };

async function antialiased(image: RgbImage, size: ImageSize, resample: number): Promise<RgbImage> {
  const { data, width, height } = image;
  if (width === size.width && height === size.height) return image;
  const kernel = KERNELS[resample] ?? 'linear';
  const input = sharp(data, { raw: { width, height, channels: 3 } });
  return rgbOf(input.resize({ ...size, fit: 'fill', kernel }));
}

async function sampled(image: RgbImage, size: ImageSize, resample: number): Promise<RgbImage> {
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
