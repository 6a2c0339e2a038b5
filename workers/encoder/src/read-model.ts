import {
  fingerprint,
  modelCard,
  readModelFolder,
  requireOnnxFile,
  type ModelFacts,
  type ModelFolder,
} from '@epd/model';

/** What an encoder knows about its model before it loads any weights. */
export interface EncoderModel {
  readonly folder: ModelFolder;
  readonly card: ModelFacts;
}

interface ReadOptions {
  readonly id?: string;
  readonly visionEncoder?: string;
  readonly imageTokensMax?: number;
}

/** Throws `ModelFolderError` when the folder cannot be used, or has no vision encoder. */
export async function readModel(
  path: string,
  { id, visionEncoder = '', imageTokensMax }: ReadOptions = {},
): Promise<EncoderModel> {
  const folder = await readModelFolder(path, {
    ...(id === undefined ? {} : { id }),
    variants: { vision_encoder: visionEncoder },
    ...(imageTokensMax === undefined ? {} : { imageTokensMax }),
  });
  requireOnnxFile(folder.onnx, 'vision_encoder');
  const digest = await fingerprint(folder);
  return { folder, card: modelCard(folder, digest ?? '') };
}
