import { FieldDigest } from './digest.ts';
import type { ModelFolder } from './model-folder.ts';

/** Raised when the same files should no longer give the same fingerprint. */
const FORMAT = 'epd-model-fingerprint-1';

/**
 * Names what an embedding depends on besides the image: sha256, in hex, over the vision encoder's
 * graph and external weights and over the configuration that shapes its output. Null when the folder
 * holds no vision encoder. Reads whole files, a piece at a time.
 */
export async function fingerprint(folder: ModelFolder): Promise<string | null> {
  const encoder = folder.onnx.present.vision_encoder;
  if (encoder === undefined) return null;
  const digest = new FieldDigest(FORMAT);
  digest.addJson(folder.model.shaping);
  await digest.addFiles([encoder.path, ...encoder.dataPaths]);
  return digest.hex();
}
