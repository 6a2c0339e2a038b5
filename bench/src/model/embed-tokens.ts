import { ELEMENT, GraphWriter } from './graph-writer.ts';
import { randomWeights } from './random-weights.ts';
import type { ModelShape } from './shape.ts';

/** Looks up input_ids (B, S) int64 in random embeddings: inputs_embeds (B, S, D) float32. */
export function embedTokens(shape: ModelShape, seed: number): Uint8Array {
  const { text } = shape;
  const graph = new GraphWriter(seed);
  const ids = graph.input('input_ids', ELEMENT.int64, ['batch_size', 'sequence_length']);
  graph.op(
    'Gather',
    [graph.floats('embed_tokens', [text.vocabSize, text.width], tokenTable(shape, seed)), ids],
    'inputs_embeds',
  );
  graph.output('inputs_embeds', ELEMENT.float, ['batch_size', 'sequence_length', text.width]);
  return graph.finish('embed_tokens');
}

/** What layers of random weights add to a token is small beside it. */
const COUNTING_SCALE = 100;

/** [vocabulary, width]. */
export function tokenTable({ text, counts }: ModelShape, seed: number): Float32Array {
  const table = randomWeights(seed, 'embed_tokens', text.vocabSize * text.width);
  return counts ? table.map((value) => value * COUNTING_SCALE) : table;
}
