import { FieldDigest } from './digest.ts';
import type { ModelFolder } from './model-folder.ts';
import { requireOnnxFile } from '../files/onnx-files.ts';

/** Raised when the same files should no longer give the same answers. */
const FORMAT = 'epd-model-revision-1';

/**
 * Names what an answer depends on besides the request: sha256, in hex, over the decoder and the token
 * embeddings in the variants that are run, their external weights, tokenizer, chat template and every
 * configuration, and over `fingerprint`, which stands for the vision encoder. Two folders of one
 * revision give the same answers. Throws `ModelFolderError` when a graph is missing.
 */
export async function revision(folder: ModelFolder, fingerprint: string): Promise<string> {
  const { config, preprocessor, processor, generation, tokenizer, tokenizerConfig } = folder;
  const digest = new FieldDigest(FORMAT);
  digest.add(fingerprint);
  for (const json of [config, preprocessor, processor, generation, tokenizer, tokenizerConfig])
    digest.addJson(json);
  digest.addJson(folder.chatTemplate);
  digest.addJson(folder.model.processing);
  for (const role of ['embed_tokens', 'decoder_model_merged'] as const) {
    const { path, dataPaths } = requireOnnxFile(folder.onnx, role);
    await digest.addFiles([path, ...dataPaths]);
  }
  return digest.hex();
}
