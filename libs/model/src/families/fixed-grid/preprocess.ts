import { copySquare, normalize } from '../../pixels/planes.ts';
import type { RgbImage } from '../../pixels/rgb-image.ts';
import { sharedFloats } from '../../pixels/shared-floats.ts';
import { imageOptions } from '../../family/image-options.ts';
import type { Preprocess, Shape } from '../../family/preprocess.ts';
import { fixedGridLayout, type FixedGridGeometry } from './geometry.ts';
import { DEFAULT_RESAMPLE } from './index.ts';
import { padded } from './padded.ts';
import { readSquare } from './square.ts';

/** Pixels as Hugging Face's image processors of these models make them: on bytes, then normalised. */
export const fixedGridPreprocess: Preprocess<FixedGridGeometry> = (files, geometry, resizers) => {
  const { edge, pads, shortest } = readSquare(files);
  const options = imageOptions(files, DEFAULT_RESAMPLE);
  const layout = fixedGridLayout(geometry);
  return async (image) => {
    const whole = pads ? padded(image, options.mean) : image;
    const size = shortest === null ? { width: edge, height: edge } : scaled(whole, shortest);
    const resized = await resizers.antialiased(whole, size, options.resample);
    const data = sharedFloats(3 * edge * edge);
    const corner = {
      left: Math.floor((size.width - edge) / 2),
      top: Math.floor((size.height - edge) / 2),
    };
    copySquare(normalize(resized, options), corner, edge, data, 0);
    return { layout, ...fixedGridShape(geometry), data };
  };
};

/** One image. */
export const fixedGridShape: Shape<FixedGridGeometry> = ({ edge, rowsPerImage }) => ({
  rows: rowsPerImage,
  parts: 1,
  dims: [3, edge, edge],
  grid: null,
});

/** The longer side is cut off, as the reference does, not rounded. */
function scaled({ width, height }: RgbImage, shortest: number): { width: number; height: number } {
  const short = Math.min(width, height);
  const side = (pixels: number): number =>
    pixels === short ? shortest : Math.floor((shortest * pixels) / short);
  return { width: side(width), height: side(height) };
}
