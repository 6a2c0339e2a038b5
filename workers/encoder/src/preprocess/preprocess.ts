import type { ItemMaker, VisionItem } from '@epd/model/preprocess';
import { decodeImage } from './decode.ts';

export interface PreprocessOptions {
  readonly make: ItemMaker;
  /** Larger images, in pixels of the file, are refused before they are decoded. */
  readonly maxPixels: number;
}

/** Image file to what the vision graph takes. Throws `EncoderError`. */
export async function preprocess(
  bytes: Uint8Array,
  { make, maxPixels }: PreprocessOptions,
): Promise<VisionItem> {
  return make(await decodeImage(bytes, { maxPixels }));
}
