import { relativeDifference } from '@epd/graph';
import type { DecoderFacts, ForwardRun } from './decoder-graph.ts';
import { floatArray, type FloatArray } from './float-array.ts';
import type { KVBackend } from './kv-backend.ts';

const TOKENS = 24;
/** Where the prompt is split: neither at a power of two nor in the middle. */
const CUT = 9;
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
 * Prefills a synthetic prompt whole and in chunks, the last of one token as in decoding, and compares the last logits. Returns the
 * relative difference. Throws `ChunksDifferError`.
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

function chunk(facts: DecoderFacts, from: number, to: number): ForwardRun {
  const { embedsType, hiddenSize, deepstack } = facts;
  const width = to - from;
  const noise = (type: DecoderFacts['embedsType'], levels: number): FloatArray => {
    const values = floatArray(type, levels * width * hiddenSize);
    for (let i = 0; i < values.length; i++) values[i] = wave(from * hiddenSize + i);
    return values;
  };
  return {
    firstSlot: 0,
    rows: 1,
    width,
    embeds: noise(embedsType, 1),
    // Levels are consecutive in memory, so a slice would mix them. Text adds nothing.
    deepstack: deepstack && floatArray(deepstack.type, deepstack.levels * width * hiddenSize),
    positions: [null],
    past: Int32Array.of(from),
    count: Int32Array.of(width),
    logits: Int32Array.of(1),
  };
}

/** Deterministic noise of the magnitude of embeddings. */
const wave = (index: number): number => Math.sin(index * 12.9898) * 0.5;
