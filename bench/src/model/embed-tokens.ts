import { ELEMENT, GraphWriter } from './graph-writer.ts';
import type { ModelShape } from './shape.ts';

/** Looks up input_ids (B, S) int64 in random embeddings: inputs_embeds (B, S, D) float32. */
export function embedTokens({ text }: ModelShape, seed: number): Uint8Array {
  const graph = new GraphWriter(seed);
  const ids = graph.input('input_ids', ELEMENT.int64, ['batch_size', 'sequence_length']);
  graph.op(
    'Gather',
    [graph.weight('embed_tokens', [text.vocabSize, text.width]), ids],
    'inputs_embeds',
  );
  graph.output('inputs_embeds', ELEMENT.float, ['batch_size', 'sequence_length', text.width]);
  return graph.finish('embed_tokens');
}
