import { normalize, type Planes } from '../../pixels/planes.ts';
import { sharedFloats } from '../../pixels/shared-floats.ts';
import { imageOptions } from '../../family/image-options.ts';
import type { Preprocess, Shape } from '../../family/preprocess.ts';
import { qwenVlLayout, type QwenVlGeometry } from './geometry.ts';
import { DEFAULT_RESAMPLE } from './index.ts';

const CHANNELS = 3;

/** Pixels as Hugging Face's Qwen2-VL image processor makes them: patches in rows, block by block. */
export const qwenVlPreprocess: Preprocess<QwenVlGeometry> = (files, geometry, resizers) => {
  const options = imageOptions(files, DEFAULT_RESAMPLE);
  return async (image) => {
    const layout = qwenVlLayout(geometry, image.width, image.height);
    const { width, height, rows, cols } = layout;
    const resized = await resizers.antialiased(image, { width, height }, options.resample);
    return {
      layout,
      rows: layout.tokens,
      parts: 1,
      dims: [rows * cols, patchValues(geometry)],
      grid: [1, rows, cols],
      data: patches(normalize(resized, options), geometry),
    };
  };
};

/** An oblong image of a few blocks: its rows and columns cannot be taken for each other. */
export const qwenVlShape: Shape<QwenVlGeometry> = (geometry) => {
  const [rows, cols] = [2 * geometry.merge, 3 * geometry.merge];
  return {
    rows: 6,
    parts: 1,
    dims: [rows * cols, patchValues(geometry)],
    grid: [1, rows, cols],
  };
};

const patchValues = ({ patch, frames }: QwenVlGeometry): number =>
  CHANNELS * frames * patch * patch;

/**
 * `[patches, channels * frames * patch * patch]`: blocks row by row, in a block its patches row by row,
 * in a patch channel, frame, row, column. All frames show the same.
 */
function patches(planes: Planes, geometry: QwenVlGeometry): Float32Array<SharedArrayBuffer> {
  const { patch, merge } = geometry;
  const out = sharedFloats((planes.data.length * geometry.frames) | 0);
  const block = patch * merge;
  let at = 0;
  for (let top = 0; top < planes.height; top += block) {
    for (let left = 0; left < planes.width; left += block) {
      for (let inside = 0; inside < merge * merge; inside += 1) {
        const row = top + Math.floor(inside / merge) * patch;
        const column = left + (inside % merge) * patch;
        at = writePatch(planes, { row, column }, geometry, out, at);
      }
    }
  }
  return out;
}

function writePatch(
  { width, height, data }: Planes,
  corner: { readonly row: number; readonly column: number },
  { patch, frames }: QwenVlGeometry,
  out: Float32Array,
  start: number,
): number {
  let at = start;
  for (let channel = 0; channel < CHANNELS; channel += 1) {
    for (let frame = 0; frame < frames; frame += 1) {
      for (let row = 0; row < patch; row += 1) {
        const from = (channel * height + corner.row + row) * width + corner.column;
        out.set(data.subarray(from, from + patch), at);
        at += patch;
      }
    }
  }
  return at;
}
