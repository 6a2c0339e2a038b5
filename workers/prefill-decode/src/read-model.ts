import {
  findTemplate,
  fingerprint,
  modelCard,
  outputFormat,
  readModelFolder,
  revision,
  type ModelFacts,
  type ModelFolder,
  type OnnxVariants,
  type OutputFormat,
} from '@epd/model';

/** What a PD worker knows about its model before it loads any weights. */
export interface PdModel {
  readonly folder: ModelFolder;
  readonly card: ModelFacts;
  readonly format: OutputFormat;
}

interface Opened {
  readonly folder: string;
  readonly id?: string;
  readonly variants?: OnnxVariants;
}

interface Settings {
  readonly visionEncoder?: string | undefined;
  readonly decoder?: string | undefined;
  readonly imageTokensMax?: number;
}

/**
 * Reads the folder. Calls `knownFingerprint` when the vision encoder's file is missing: a PD worker
 * loads no vision encoder, but the fingerprint of embeddings is that file's.
 */
export async function readModel(
  opened: Opened,
  settings: Settings,
  knownFingerprint: (model: string) => Promise<string>,
): Promise<PdModel> {
  const { folder: path, id, variants = {} } = opened;
  const decoder = settings.decoder ?? variants.decoder_model_merged ?? '';
  const folder = await readModelFolder(path, {
    ...(id === undefined ? {} : { id }),
    ...(settings.imageTokensMax === undefined ? {} : { imageTokensMax: settings.imageTokensMax }),
    variants: {
      ...variants,
      vision_encoder: settings.visionEncoder ?? '',
      decoder_model_merged: decoder,
    },
  });
  const digest = (await fingerprint(folder)) ?? (await knownFingerprint(folder.id));
  const card = modelCard(folder, digest, await revision(folder, digest));
  return { folder, card, format: outputFormat(findTemplate(folder) ?? '') };
}
