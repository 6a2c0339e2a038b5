import type { ImageCost } from '../family/image-cost.ts';
import { fixedGridLayout, type FixedGridGeometry } from './fixed-grid/geometry.ts';
import { frameLayout, idefics3Layout, type Idefics3Geometry } from './idefics3/geometry.ts';
import { qwenVlLayout, type QwenVlGeometry } from './qwen-vl/geometry.ts';
import { planVideo, type Video, type VideoPlan } from './idefics3/frames.ts';
import { ImageShapeError } from '../errors.ts';
import { checkSize } from '../image-size.ts';

export { ImageShapeError };
export type { Video, VideoPlan } from './idefics3/frames.ts';
export type { ImageCost } from '../family/image-cost.ts';
export type { ImageSize } from '../image-size.ts';

/**
 * How large an image becomes inside a model, and how many tokens it costs, from its width and height
 * alone. Pure arithmetic and JSON-able data, so that an API process can price an image without
 * loading anything. `family` names whose arithmetic it is.
 */
export type ImageGeometry = Idefics3Geometry | FixedGridGeometry | QwenVlGeometry;

/**
 * Throws `TypeError` for what is no size, and for a family that this version does not know;
 * `ImageShapeError` for an image that the model does not take.
 */
export function imageLayout(
  geometry: ImageGeometry,
  width: number,
  height: number,
  isFrame = false,
): ImageCost {
  checkSize({ width, height });
  if (isFrame) return frameCost(geometry, width, height);
  switch (geometry.family) {
    case 'idefics3':
      return idefics3Layout(geometry, width, height);
    case 'fixed-grid':
      return fixedGridLayout(geometry);
    case 'qwen-vl':
      return qwenVlLayout(geometry, width, height);
    default:
      throw new TypeError(`Unknown geometry: ${JSON.stringify(geometry satisfies never)}`);
  }
}

function frameCost(geometry: ImageGeometry, width: number, height: number): ImageCost {
  if (geometry.family === 'idefics3') return frameLayout(geometry, width, height);
  throw new ImageShapeError('This model takes no videos');
}

/** Which frames of a video a model is shown, and in which words; null: it takes no videos. */
export function videoPlan(geometry: ImageGeometry, video: Video): VideoPlan | null {
  if (geometry.family !== 'idefics3' || geometry.frames === undefined) return null;
  return planVideo(video, geometry.frames);
}
