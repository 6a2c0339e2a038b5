import {
  idefics3Layout,
  type Idefics3Geometry,
  type Idefics3Layout,
} from './families/idefics3/geometry.ts';
import { checkSize } from './image-size.ts';

export type { ImageSize } from './image-size.ts';

/**
 * How large an image becomes inside a model, and how many tokens it costs, from its width and height
 * alone. Pure arithmetic and JSON-able data, so that an API process can price an image without
 * loading anything. `family` tells whose arithmetic it is.
 */
export type ImageGeometry = Idefics3Geometry;

/** What every family's layout of an image tells. */
export interface ImageCost {
  /** Rows and columns of what the image is cut into; both 0 when it is not cut. */
  readonly rows: number;
  readonly cols: number;
  /** Rows of the image's embedding: its visual tokens. */
  readonly tokens: number;
  /** Tokens that the image takes in the prompt: `tokens` and the markers around them. */
  readonly expansion: number;
}

interface Layouts {
  readonly idefics3: Idefics3Layout;
}
export type FamilyName = keyof Layouts;
type GeometryOf<F extends FamilyName> = Extract<ImageGeometry, { family: F }>;

const LAYOUTS: {
  readonly [F in FamilyName]: (
    geometry: GeometryOf<F>,
    width: number,
    height: number,
  ) => Layouts[F];
} = {
  idefics3: idefics3Layout,
};

/** Throws `TypeError` for what is no size, and for a family that this version does not know. */
export function imageLayout<F extends FamilyName>(
  geometry: GeometryOf<F>,
  width: number,
  height: number,
): Layouts[F] {
  checkSize({ width, height });
  const layout = (LAYOUTS as Partial<typeof LAYOUTS>)[geometry.family];
  if (layout === undefined) throw new TypeError(`Unknown geometry: ${geometry.family}`);
  return layout(geometry, width, height);
}
