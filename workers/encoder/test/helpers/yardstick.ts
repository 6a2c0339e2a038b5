import { writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AutoImageProcessor, env, RawImage } from '@huggingface/transformers';

interface Reference {
  readonly pixel_values: { readonly dims: readonly number[]; readonly data: Float32Array };
}

/** What the reference image processor makes of a file's bytes, given a `preprocessor_config.json`. */
export async function referencePixels(
  folder: string,
  config: object,
  bytes: Uint8Array,
): Promise<Reference['pixel_values']> {
  await writeFile(join(folder, 'preprocessor_config.json'), JSON.stringify(config));
  env.allowRemoteModels = false;
  env.localModelPath = `${dirname(folder)}/`;
  const processor = await AutoImageProcessor.from_pretrained(basename(folder));
  const image = await RawImage.fromBlob(new Blob([Uint8Array.from(bytes)]));
  const { pixel_values } = (await processor([image])) as Reference;
  return pixel_values;
}
