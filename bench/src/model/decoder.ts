import { tokenTable } from './embed-tokens.ts';
import { ELEMENT, float, GraphWriter, MICROSOFT } from './graph-writer.ts';
import { randomWeights } from './random-weights.ts';
import type { ModelShape } from './shape.ts';

/**
 * A Llama decoder in ONNX Runtime's fused operators. Inputs: inputs_embeds (B, S, D) float32,
 * attention_mask (B, T) int64, past_key_values.N.key/value (B, KV, P, H). Outputs: logits (B, S, V),
 * present.N.key/value (B, KV, max(P, T), H). Row b holds sum(attention_mask[b]) valid tokens.
 * `tokens` is how many ids the tokenizer knows and `special` how many of them come first and are no
 * text: logits of special and of unknown ids are zero, so a greedy answer is text of any length.
 */
export function decoder(
  shape: ModelShape,
  seed: number,
  { tokens, special }: { readonly tokens: number; readonly special: number },
): Uint8Array {
  const { text } = shape;
  const graph = new GraphWriter(seed);
  const embeddings = graph.input('inputs_embeds', ELEMENT.float, [
    'batch_size',
    'sequence_length',
    text.width,
  ]);
  graph.input('attention_mask', ELEMENT.int64, ['batch_size', 'total_sequence_length']);
  lengths(graph);
  rotaryCaches(graph, shape);
  const head = shape.counts
    ? countingHead(shape, seed, tokens, special)
    : headWeights(shape, seed, tokens, special);
  const last = layers(graph, shape, embeddings);
  graph.op('MatMul', [last, graph.floats('lm_head', [text.width, text.vocabSize], head)], 'logits');
  graph.output('logits', ELEMENT.float, ['batch_size', 'sequence_length', text.vocabSize]);
  cacheValues(graph, shape);
  return graph.finish('decoder');
}

/** What GroupQueryAttention wants to know: the last valid position of each row and the longest row. */
function lengths(graph: GraphWriter): void {
  const axis = graph.ints('axis_1', [1]);
  const valid = graph.op('ReduceSum', ['attention_mask', axis], 'valid', {
    attributes: { keepdims: 0 },
  });
  const last = graph.op('Sub', [valid, graph.ints('one', [1], null)], 'last');
  graph.op('Cast', [last], 'seqlens_k', { attributes: { to: ELEMENT.int32 } });
  const maskShape = graph.op('Shape', ['attention_mask'], 'mask_shape');
  const total = graph.op('Gather', [maskShape, graph.ints('index_1', [1], null)], 'total', {
    attributes: { axis: 0 },
  });
  graph.op('Cast', [total], 'total_sequence_length', { attributes: { to: ELEMENT.int32 } });
}

function rotaryCaches(graph: GraphWriter, { text }: ModelShape): void {
  const half = text.headDim / 2;
  const angles = Float64Array.from({ length: text.maxPositions * half }, (_, i) => {
    const [position, pair] = [Math.floor(i / half), i % half];
    return position / text.ropeTheta ** ((2 * pair) / text.headDim);
  });
  graph.floats('cos_cache', [text.maxPositions, half], Float32Array.from(angles, Math.cos));
  graph.floats('sin_cache', [text.maxPositions, half], Float32Array.from(angles, Math.sin));
}

function layers(graph: GraphWriter, shape: ModelShape, embeddings: string): string {
  const { text } = shape;
  const epsilon = { epsilon: float(text.normEpsilon) };
  const scale = (name: string): string => graph.filled(`${name}.norm`, [text.width], 1);
  let residual = embeddings;
  let x = graph.op('SimplifiedLayerNormalization', [embeddings, scale('layers.0.input')], 'x.0', {
    attributes: { axis: -1, stash_type: 1, ...epsilon },
  });
  for (let i = 0; i < text.layers; i++) {
    const isLast = i + 1 === text.layers;
    const attended = attention(graph, shape, i, x);
    const y = addAndNorm(
      graph,
      [residual, attended, scale(`layers.${i}.post`)],
      `y.${i}`,
      `r.${i}`,
      epsilon,
    );
    const down = mlp(graph, shape, i, y);
    const next = scale(isLast ? 'final' : `layers.${i + 1}.input`);
    residual = `s.${i}`;
    x = addAndNorm(graph, [`r.${i}`, down, next], `x.${i + 1}`, isLast ? null : residual, epsilon);
  }
  return x;
}

/** Normalizes the sum of the first two inputs; the sum itself is an output when it is wanted. */
function addAndNorm(
  graph: GraphWriter,
  inputs: readonly string[],
  out: string,
  sum: string | null,
  attributes: { readonly epsilon: ReturnType<typeof float> },
): string {
  const outputs = sum === null ? [out] : [out, '', '', sum];
  return graph.op('SkipSimplifiedLayerNormalization', inputs, out, {
    outputs,
    domain: MICROSOFT,
    attributes,
  });
}

function attention(graph: GraphWriter, { text }: ModelShape, i: number, x: string): string {
  const { width, heads, kvHeads, headDim } = text;
  const part = (name: string, count: number): string =>
    linear(graph, `${name}.${i}`, x, width, count * headDim);
  const past = [`past_key_values.${i}.key`, `past_key_values.${i}.value`];
  const rest = ['seqlens_k', 'total_sequence_length', 'cos_cache', 'sin_cache'];
  const inputs = [part('q', heads), part('k', kvHeads), part('v', kvHeads), ...past, ...rest];
  const mixed = graph.op('GroupQueryAttention', inputs, `attention.${i}`, {
    outputs: [`attention.${i}`, `present.${i}.key`, `present.${i}.value`],
    domain: MICROSOFT,
    attributes: { num_heads: heads, kv_num_heads: kvHeads, do_rotary: 1, rotary_interleaved: 0 },
  });
  return linear(graph, `o.${i}`, mixed, heads * headDim, width);
}

function mlp(graph: GraphWriter, { text }: ModelShape, i: number, x: string): string {
  const gate = linear(graph, `gate.${i}`, x, text.width, text.intermediate);
  const up = linear(graph, `up.${i}`, x, text.width, text.intermediate);
  const sigmoid = graph.op('Sigmoid', [gate], `sigmoid.${i}`);
  const silu = graph.op('Mul', [gate, sigmoid], `silu.${i}`);
  const inner = graph.op('Mul', [silu, up], `mlp.${i}`);
  return linear(graph, `down.${i}`, inner, text.intermediate, text.width);
}

const linear = (graph: GraphWriter, name: string, x: string, from: number, to: number): string =>
  graph.op('MatMul', [x, graph.weight(`${name}.weight`, [from, to])], name);

/** (width, vocabulary), with zeros in the columns of ids that no answer should hold. */
function headWeights(
  { text }: ModelShape,
  seed: number,
  tokens: number,
  special: number,
): Float32Array {
  const weights = randomWeights(seed, 'lm_head', text.width * text.vocabSize);
  for (let row = 0; row < text.width; row++) {
    const start = row * text.vocabSize;
    weights.fill(0, start, start + special);
    weights.fill(0, start + tokens, start + text.vocabSize);
  }
  return weights;
}

/** (width, vocabulary), where the column of an id is the embedding of the one before it. */
function countingHead(
  shape: ModelShape,
  seed: number,
  tokens: number,
  special: number,
): Float32Array {
  const { width, vocabSize } = shape.text;
  const table = tokenTable(shape, seed);
  const weights = new Float32Array(width * vocabSize);
  for (let id = special; id < tokens; id++) {
    const before = id === special ? tokens - 1 : id - 1;
    for (let row = 0; row < width; row++)
      weights[row * vocabSize + id] = table[before * width + row] ?? 0;
  }
  return weights;
}

function cacheValues(graph: GraphWriter, { text }: ModelShape): void {
  for (let i = 0; i < text.layers; i++) {
    for (const side of ['key', 'value']) {
      const dims = (length: string) => ['batch_size', text.kvHeads, length, text.headDim];
      graph.input(`past_key_values.${i}.${side}`, ELEMENT.float, dims('past_sequence_length'));
      graph.output(`present.${i}.${side}`, ELEMENT.float, dims('present_sequence_length'));
    }
  }
}
