import type { ImageSize } from '../image-size.ts';

/** Decoded pixels: 8 bits, interleaved RGB, turned as the EXIF orientation says. */
export interface RgbImage extends ImageSize {
  readonly data: Uint8Array;
}

/** Scales without keeping the aspect. `resample` is Pillow's number, as in a model's files. */
export type Resize = (image: RgbImage, size: ImageSize, resample: number) => Promise<RgbImage>;

/** How pixels are scaled: given by the process that has an image library. */
export interface Resizers {
  /** Takes samples as it shrinks, with the exception of Lanczos, which averages. */
  readonly sampled: Resize;
  /** Averages as it shrinks, as Pillow does. */
  readonly antialiased: Resize;
}
