import type { RgbImage } from '../../pixels/rgb-image.ts';

const CHANNELS = 3;

/** The image in the middle of a square, with a border in the colour `mean`, in shares of white. */
export function padded(image: RgbImage, mean: readonly number[]): RgbImage {
  const { width, height } = image;
  if (width === height) return image;
  const edge = Math.max(width, height);
  const left = Math.floor((edge - width) / 2);
  const top = Math.floor((edge - height) / 2);
  const colour = mean.map((share) => Math.floor(share * 255));
  const data = Uint8Array.from(
    { length: CHANNELS * edge * edge },
    (_, index) => colour[index % CHANNELS] ?? 0,
  );
  for (let row = 0; row < height; row += 1) {
    const line = image.data.subarray(row * width * CHANNELS, (row + 1) * width * CHANNELS);
    data.set(line, ((row + top) * edge + left) * CHANNELS);
  }
  return { width: edge, height: edge, data };
}
