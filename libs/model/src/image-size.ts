/** An image's size in pixels, as shown: an EXIF orientation that turns it is applied before. */
export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** An image of a prompt. */
export interface PromptImage extends ImageSize {
  /** Of a video. @default false */
  readonly isFrame?: boolean;
}

const isSide = (value: number): boolean => Number.isSafeInteger(value) && value > 0;

/** Throws `TypeError` for what is no size. */
export function checkSize({ width, height }: ImageSize): void {
  if (isSide(width) && isSide(height)) return;
  throw new TypeError(`Expected positive integers as an image's size, got ${width}x${height}`);
}
