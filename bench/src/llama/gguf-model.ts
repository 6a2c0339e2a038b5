import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { graphOf, readModel } from '@epd/graph';
import type { ModelShape } from '../model/shape.ts';
import type { GgufType } from './gguf-blocks.ts';
import { float32, writeGguf, type GgufTensor, type Metadata } from './gguf-writer.ts';
import { exists } from '../model/exists.ts';

type Weights = (name: string) => Float32Array;

/**
 * The decoder of a built model as a file of llama.cpp, with the same weights: written beside its
 * graphs on the first call, found there afterwards. Norms stay in full precision, as its own tool has it.
 */
export async function ggufModel(
  shape: ModelShape,
  modelDir: string,
  type: GgufType,
): Promise<string> {
  const path = join(modelDir, `decoder-${type}.gguf`);
  if (await exists(path)) return path;
  const tensors = tensorsOf(shape, await weightsOf(modelDir), type);
  const unfinished = `${path}.${process.pid}`;
  await writeGguf(unfinished, metadataOf(shape), tensors);
  await rename(unfinished, path);
  return path;
}

function metadataOf({ name, text }: ModelShape): Metadata {
  return {
    'general.architecture': 'llama',
    'general.name': name,
    'llama.vocab_size': text.vocabSize,
    'llama.context_length': text.maxPositions,
    'llama.embedding_length': text.width,
    'llama.block_count': text.layers,
    'llama.feed_forward_length': text.intermediate,
    'llama.attention.head_count': text.heads,
    'llama.attention.head_count_kv': text.kvHeads,
    'llama.attention.layer_norm_rms_epsilon': float32(text.normEpsilon),
    'llama.rope.freq_base': float32(text.ropeTheta),
    'llama.rope.dimension_count': text.headDim,
    ...vocabularyOf(text.vocabSize),
  };
}

const byteToken = (byte: number): string =>
  `<0x${byte.toString(16).padStart(2, '0').toUpperCase()}>`;

const BYTES = 256;
/** What llama.cpp calls a token that is text, and one that stands for a byte. */
const TOKEN = { text: 1, byte: 6 } as const;

/** Tokens go in and come out as numbers; llama.cpp starts with no model that cannot write a line feed. */
function vocabularyOf(size: number): Metadata {
  const ids = Array.from({ length: size }, (_, id) => id);
  return {
    'tokenizer.ggml.model': 'llama',
    'tokenizer.ggml.tokens': ids.map((id) => (id < BYTES ? byteToken(id) : `t${id}`)),
    'tokenizer.ggml.scores': ids.map(() => float32(0)),
    'tokenizer.ggml.token_type': ids.map((id) => (id < BYTES ? TOKEN.byte : TOKEN.text)),
  };
}

function tensorsOf({ text }: ModelShape, weights: Weights, type: GgufType): GgufTensor[] {
  const { width, intermediate, heads, kvHeads, headDim, vocabSize } = text;
  const norm = (name: string, from: string): GgufTensor => {
    const values = (): Float32Array => weights(`${from}.norm`);
    return { name: `${name}.weight`, type: 'f32', rows: 1, columns: width, isVector: true, values };
  };
  const matrix = (name: string, from: string, columns: number, rows: number): GgufTensor => {
    const values = (): Float32Array => transposed(weights(from), columns, rows);
    return { name: `${name}.weight`, type, rows, columns, values };
  };
  const turned = (name: string, from: string, count: number): GgufTensor => {
    const rows = count * headDim;
    const values = (): Float32Array =>
      interleaved(transposed(weights(from), width, rows), width, headDim);
    return { name: `${name}.weight`, type, rows, columns: width, values };
  };
  const embeddings = (): Float32Array => weights('embed_tokens');
  const layer = (i: number): GgufTensor[] => [
    norm(`blk.${i}.attn_norm`, `layers.${i}.input`),
    turned(`blk.${i}.attn_q`, `q.${i}.weight`, heads),
    turned(`blk.${i}.attn_k`, `k.${i}.weight`, kvHeads),
    matrix(`blk.${i}.attn_v`, `v.${i}.weight`, width, kvHeads * headDim),
    matrix(`blk.${i}.attn_output`, `o.${i}.weight`, heads * headDim, width),
    norm(`blk.${i}.ffn_norm`, `layers.${i}.post`),
    matrix(`blk.${i}.ffn_gate`, `gate.${i}.weight`, width, intermediate),
    matrix(`blk.${i}.ffn_up`, `up.${i}.weight`, width, intermediate),
    matrix(`blk.${i}.ffn_down`, `down.${i}.weight`, intermediate, width),
  ];
  return [
    { name: 'token_embd.weight', type, rows: vocabSize, columns: width, values: embeddings },
    ...Array.from({ length: text.layers }, (_, i) => layer(i)).flat(),
    norm('output_norm', 'final'),
    matrix('output', 'lm_head', width, vocabSize),
  ];
}

/** Graphs have a weight's inputs as rows, llama.cpp has its outputs. */
function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      out[column * rows + row] = values[row * columns + column] as number;
  }
  return out;
}

/** llama.cpp rotates neighbouring channels of a head, the graph those of its two halves. */
function interleaved(values: Float32Array, width: number, headDim: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < values.length / width; row++) {
    const at = row % headDim;
    const from = row - at + (at % 2) * (headDim / 2) + (at >> 1);
    out.set(values.subarray(from * width, (from + 1) * width), row * width);
  }
  return out;
}

async function weightsOf(modelDir: string): Promise<Weights> {
  const files = ['decoder_model_merged.onnx', 'embed_tokens.onnx'];
  const models = await Promise.all(files.map((name) => readModel(join(modelDir, 'onnx', name))));
  const tensors = new Map(
    models.flatMap((model) => graphOf(model).initializer.map((each) => [each.name, each.rawData])),
  );
  return (name) => {
    const bytes = tensors.get(name);
    if (!bytes) throw new RangeError(`The built decoder has no weights ${name}`);
    return new Float32Array(Uint8Array.from(bytes).buffer);
  };
}
