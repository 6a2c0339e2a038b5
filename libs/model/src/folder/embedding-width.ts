import type { FamilyGeometry, FamilyModel } from '../family/family.ts';
import { readGraphInterface } from '../files/graph-interface.ts';
import type { OnnxFiles } from '../files/onnx-files.ts';

/**
 * Values in a row of an image's embedding: a hidden state and, where the folder's graphs have it, what
 * the image adds to the hidden states behind each of the first layers. The encoder's graph shows it by its
 * outputs; a folder without one has a decoder, which shows it by its inputs.
 */
export async function embeddingWidth(
  model: Pick<FamilyModel<FamilyGeometry>, 'deepstackLevels' | 'text'>,
  { present }: OnnxFiles,
): Promise<number> {
  const { deepstackLevels, text } = model;
  const graph = present.vision_encoder ?? present.decoder_model_merged;
  if (deepstackLevels === 0 || graph === undefined) return text.hiddenSize;
  const names = await readGraphInterface(graph.path);
  const edge = [...(names?.inputs ?? []), ...(names?.outputs ?? [])];
  const has = edge.some((name) => name.includes('deepstack'));
  return has ? text.hiddenSize * (1 + deepstackLevels) : text.hiddenSize;
}
