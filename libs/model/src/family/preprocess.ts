import type { FamilyGeometry } from './family.ts';
import type { ImageCost } from './image-cost.ts';
import type { ModelFiles } from '../files/model-files.ts';
import type { Resizers, RgbImage } from '../pixels/rgb-image.ts';

/** One item as the vision graph takes it. */
export interface VisionItem {
  /** Rows that its embedding will have. */
  readonly rows: number;
  /** Parts that do not see each other, so that each may go into any run: tiles of an image, say. */
  readonly parts: number;
  /** Shape of one part. */
  readonly dims: readonly number[];
  /** Frames, rows and columns of patches, where the graph wants to be told; null where it does not. */
  readonly grid: readonly [frames: number, rows: number, cols: number] | null;
  /** The parts, one behind the other. In shared memory: it stays with the caller for a retry. */
  readonly data: Float32Array<SharedArrayBuffer>;
}

/** An item without its pixels. */
export type VisionShape = Omit<VisionItem, 'data'>;

/** An image's item, and how the image was found to lie in it. */
export interface PreparedImage extends VisionItem {
  readonly layout: ImageCost;
}

/** Makes what the vision graph takes of decoded pixels. `isFrame`: of a video. */
export type ItemMaker = (image: RgbImage, isFrame?: boolean) => Promise<PreparedImage>;

/** The files that say how images are prepared. */
export type PixelFiles = Pick<ModelFiles, 'path' | 'preprocessor'>;

/** A family's preprocessing for one folder. Throws `ModelFolderError`. */
export type Preprocess<G extends FamilyGeometry> = (
  files: PixelFiles,
  geometry: G,
  resizers: Resizers,
) => ItemMaker;

/** The shape of an ordinary item: to try a graph with, and to count costs by. */
export type Shape<G extends FamilyGeometry> = (geometry: G) => VisionShape;
