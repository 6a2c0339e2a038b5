import { fixedGridPreprocess, fixedGridShape } from './fixed-grid/preprocess.ts';
import { idefics3Preprocess, idefics3Shape } from './idefics3/preprocess.ts';
import type {
  ItemMaker,
  PixelFiles,
  Preprocess,
  Shape,
  VisionShape,
} from '../family/preprocess.ts';
import { qwenVlPreprocess, qwenVlShape } from './qwen-vl/preprocess.ts';
import type { ImageGeometry } from './geometry.ts';
import type { Resizers } from '../pixels/rgb-image.ts';

/** What only an encoder needs of a family: pixels. */

export type { ItemMaker, PreparedImage, VisionItem, VisionShape } from '../family/preprocess.ts';
export type { Resize, Resizers, RgbImage } from '../pixels/rgb-image.ts';
export { sharedFloats } from '../pixels/shared-floats.ts';

interface Pixels<G extends ImageGeometry> {
  readonly preprocess: Preprocess<G>;
  readonly shape: Shape<G>;
}

const FAMILIES: {
  readonly [F in ImageGeometry['family']]: Pixels<Extract<ImageGeometry, { family: F }>>;
} = {
  idefics3: { preprocess: idefics3Preprocess, shape: idefics3Shape },
  'fixed-grid': { preprocess: fixedGridPreprocess, shape: fixedGridShape },
  'qwen-vl': { preprocess: qwenVlPreprocess, shape: qwenVlShape },
};

/** How the folder's images become what its vision graph takes. Throws `ModelFolderError`. */
export function itemMaker(
  files: PixelFiles,
  geometry: ImageGeometry,
  resizers: Resizers,
): ItemMaker {
  return pixelsOf(geometry).preprocess(files, geometry, resizers);
}

/** The shape of an ordinary item of the model. */
export const visionShape = (geometry: ImageGeometry): VisionShape =>
  pixelsOf(geometry).shape(geometry);

/** The entry fits the geometry that it is asked with. */
const pixelsOf = ({ family }: ImageGeometry): Pixels<ImageGeometry> =>
  FAMILIES[family] as Pixels<ImageGeometry>;
