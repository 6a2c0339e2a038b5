import type { ImageSize } from '../image-size.ts';
import type { RgbImage } from './rgb-image.ts';

/** Normalised pixels, one plane per channel: `[3, height, width]`, row-major. */
export interface Planes extends ImageSize {
  readonly data: Float32Array;
}

export interface Normalization {
  /** What a pixel's value is multiplied by first. */
  readonly factor: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

const CHANNELS = 3;
const LEVELS = 256;

/** Interleaved bytes to planes. Rounds to 32 bits where the reference does. */
export function normalize(image: RgbImage, normalization: Normalization): Planes {
  const { width, height, data } = image;
  const area = width * height;
  const planes = new Float32Array(CHANNELS * area);
  for (let channel = 0; channel < CHANNELS; channel += 1) {
    const table = valueTable(normalization, channel);
    for (let pixel = 0; pixel < area; pixel += 1) {
      planes[channel * area + pixel] = table[data[pixel * CHANNELS + channel]!]!;
    }
  }
  return { width, height, data: planes };
}

function valueTable({ factor, mean, std }: Normalization, channel: number): Float32Array {
  return Float32Array.from({ length: LEVELS }, (_, level) => {
    return (Math.fround(factor * level) - (mean[channel] ?? 0)) / (std[channel] ?? 1);
  });
}

/** Bilinear, pixel centres at halves, without averaging: ONNX's `Resize`, which the reference runs. */
export function stretch(planes: Planes, size: ImageSize): Planes {
  if (planes.width === size.width && planes.height === size.height) return planes;
  const data = new Float32Array(CHANNELS * size.width * size.height);
  const columns = taps(planes.width, size.width);
  const rows = taps(planes.height, size.height);
  for (let channel = 0; channel < CHANNELS; channel += 1) {
    stretchPlane(planes, data, channel, columns, rows);
  }
  return { ...size, data };
}

interface Taps {
  readonly length: number;
  /** Position of the two neighbours of each output sample, and the share of the second. */
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly share: Float32Array;
}

function taps(from: number, to: number): Taps {
  const first = new Int32Array(to);
  const second = new Int32Array(to);
  const share = new Float32Array(to);
  for (let index = 0; index < to; index += 1) {
    const position = Math.min(Math.max(((index + 0.5) * from) / to - 0.5, 0), from - 1);
    first[index] = Math.floor(position);
    second[index] = Math.min(first[index]! + 1, from - 1);
    share[index] = position - first[index]!;
  }
  return { length: to, first, second, share };
}

function stretchPlane(
  planes: Planes,
  out: Float32Array,
  channel: number,
  columns: Taps,
  rows: Taps,
): void {
  const { width, height, data } = planes;
  const start = channel * width * height;
  let at = channel * columns.length * rows.length;
  for (let row = 0; row < rows.length; row += 1) {
    const above = start + rows.first[row]! * width;
    const below = start + rows.second[row]! * width;
    const down = rows.share[row]!;
    for (let column = 0; column < columns.length; column += 1) {
      const left = columns.first[column]!;
      const right = columns.second[column]!;
      const across = columns.share[column]!;
      const top = data[above + left]! * (1 - across) + data[above + right]! * across;
      const bottom = data[below + left]! * (1 - across) + data[below + right]! * across;
      out[at] = top * (1 - down) + bottom * down;
      at += 1;
    }
  }
}

/** Copies the square whose left upper corner is `(left, top)` to `out[offset…]`, plane by plane. */
export function copySquare(
  planes: Planes,
  corner: { readonly left: number; readonly top: number },
  side: number,
  out: Float32Array,
  offset: number,
): void {
  const { width, height, data } = planes;
  let at = offset;
  for (let channel = 0; channel < CHANNELS; channel += 1) {
    for (let row = 0; row < side; row += 1) {
      const from = (channel * height + corner.top + row) * width + corner.left;
      out.set(data.subarray(from, from + side), at);
      at += side;
    }
  }
}
