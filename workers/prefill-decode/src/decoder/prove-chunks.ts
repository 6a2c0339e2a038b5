import { relativeDifference } from '@epd/graph';
import type { DecoderFacts, ForwardRun } from './decoder-graph.ts';
import { floatArray, type FloatArray } from './float-array.ts';
import type { KVBackend } from './kv-backend.ts';

const TOKENS = 24;
/** Where the prompt is split: neither at a power of two nor in the middle. */
const CUT = 9;
/** An image of the prompt, through which the cut goes. */
const IMAGE = { first: 6, rows: 2, cols: 4 };
/**
 * Tolerated difference, as a share of the largest logit. Sums are computed in another order, and
 * graphs that quantize activations do so per run; a graph that attends to later tokens differs by
 * more.
 */
const TOLERANCE = 0.1;

/** A decoder whose chunked prefill differs from its whole prefill: the worker must not serve it. */
class ChunksDifferError extends Error {
  override readonly name = 'ChunksDifferError';
}

/**
 * Prefills a synthetic prompt with an image whole and in chunks, the last of one token as in decoding, and compares
 * the last logits. Returns the relative difference. Throws `ChunksDifferError`.
 */
export async function proveChunks(backend: KVBackend, facts: DecoderFacts): Promise<number> {
  await backend.layout(1, 2 * TOKENS, []);
  const whole = await backend.forward(chunk(facts, 0, TOKENS));
  await backend.forward(chunk(facts, 0, CUT));
  await backend.forward(chunk(facts, CUT, TOKENS - 1));
  const cut = await backend.forward(chunk(facts, TOKENS - 1, TOKENS));
  await backend.layout(0, 0, []);
  const difference = relativeDifference([whole], [cut]);
  if (difference <= TOLERANCE) return difference;
  throw new ChunksDifferError(
    `The decoder's logits for a prompt in one piece and in several differ by ${difference.toFixed(3)} of the largest; at most ${TOLERANCE} was expected. Its attention is not causal, which this engine does not support`,
  );
}

/** The tokens `from ..` before `to` of the prompt, as one run. */
function chunk(facts: DecoderFacts, from: number, to: number): ForwardRun {
  const { embedsType, hiddenSize, deepstack, positionAxes } = facts;
  const width = to - from;
  const embeds = floatArray(embedsType, width * hiddenSize);
  for (let i = 0; i < embeds.length; i++) embeds[i] = wave(from * hiddenSize + i);
  return {
    firstSlot: 0,
    rows: 1,
    width,
    embeds,
    deepstack: deepstack && deepstackOf(deepstack, hiddenSize, { from, to }),
    positions: [positionAxes === 3 ? gridPositions(from, to) : null],
    past: Int32Array.of(from),
    count: Int32Array.of(width),
    logits: Int32Array.of(1),
  };
}

const isImage = (token: number): boolean =>
  token >= IMAGE.first && token < IMAGE.first + IMAGE.rows * IMAGE.cols;

/** [levels, tokens, hiddenSize]: an image's rows add to the hidden states, text adds nothing. */
function deepstackOf(
  { levels, type }: NonNullable<DecoderFacts['deepstack']>,
  hiddenSize: number,
  { from, to }: { readonly from: number; readonly to: number },
): FloatArray {
  const size = (to - from) * hiddenSize;
  const values = floatArray(type, levels * size);
  for (let i = 0; i < values.length; i++) {
    const level = Math.floor(i / size);
    const token = from + Math.floor((i % size) / hiddenSize);
    if (isImage(token)) values[i] = wave(level * 7919 + token * hiddenSize + (i % hiddenSize));
  }
  return values;
}

/** [3, tokens]: text counts on all axes; an image's tokens by row and column, and text after it from its longer side. */
function gridPositions(from: number, to: number): Int32Array {
  const { first, rows, cols } = IMAGE;
  const tokens = Array.from({ length: to - from }, (_, index) => from + index);
  const place = (token: number, inGrid: (index: number) => number): number => {
    if (isImage(token)) return first + inGrid(token - first);
    return token < first ? token : token - rows * cols + Math.max(rows, cols);
  };
  const axes = [() => 0, (at: number) => Math.floor(at / cols), (at: number) => at % cols];
  return Int32Array.from(axes.flatMap((axis) => tokens.map((token) => place(token, axis))));
}

/** Deterministic noise of the magnitude of embeddings. */
const wave = (index: number): number => Math.sin(index * 12.9898) * 0.5;
