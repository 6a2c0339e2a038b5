import {
  fingerprint,
  modelCard,
  readModelFolder,
  type ModelFacts,
  type ModelFolder,
} from '@epd/model';

/** What a PD worker knows of its model before it loads any weights. */
export interface PdModel {
  readonly folder: ModelFolder;
  readonly card: ModelFacts;
}

/**
 * Reads the folder. `knownFingerprint` is asked when the vision encoder's file is not in it: a PD
 * worker loads no vision encoder, but its embeddings' fingerprint is that file's.
 */
export async function readModel(
  { folder: path, id }: { readonly folder: string; readonly id?: string },
  settings: { readonly visionEncoder?: string | undefined; readonly imageTokensMax?: number },
  knownFingerprint: (model: string) => Promise<string>,
): Promise<PdModel> {
  const folder = await readModelFolder(path, {
    ...(id === undefined ? {} : { id }),
    ...(settings.imageTokensMax === undefined ? {} : { imageTokensMax: settings.imageTokensMax }),
    variants: { vision_encoder: settings.visionEncoder ?? '' },
  });
  const digest = (await fingerprint(folder)) ?? (await knownFingerprint(folder.id));
  return { folder, card: modelCard(folder, digest) };
}
