import { relativeDifference } from '@epd/graph';
import type { DecoderFacts, ForwardRun } from './decoder-graph.ts';
import { floatArray, type FloatArray } from './float-array.ts';
import type { KVBackend } from './kv-backend.ts';

const TOKENS = 24;
/** Where the prompt is cut: not at a power of two, nor in the middle. */
const CUT = 9;
/**
 * Share of the largest logit by which the two may differ. Sums are made in another order, and graphs
 * that quantize activations do so by what each run holds; a graph that looks ahead differs by more.
 */
const TOLERANCE = 0.1;

/** A decoder that does not compute a prompt in pieces as it does in one: it must not take work. */
class ChunksDifferError extends Error {
  override readonly name = 'ChunksDifferError';
}

/**
 * Computes a made-up prompt whole and in two chunks, and compares the last logits. Returns the share by
 * which they differ. Throws `ChunksDifferError`.
 */
export async function proveChunks(backend: KVBackend, facts: DecoderFacts): Promise<number> {
  await backend.layout(1, 2 * TOKENS, []);
  const whole = await backend.forward(chunk(facts, 0, TOKENS));
  await backend.forward(chunk(facts, 0, CUT));
  const cut = await backend.forward(chunk(facts, CUT, TOKENS));
  await backend.layout(0, 0, []);
  const difference = relativeDifference([whole], [cut]);
  if (difference <= TOLERANCE) return difference;
  throw new ChunksDifferError(
    `The decoder's logits for a prompt in one piece and in two differ by ${difference.toFixed(3)} of the largest; at most ${TOLERANCE} was expected. Its attention looks ahead, which this engine does not serve`,
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
    // Levels lie one behind the other: cut, they would not be the same. Text adds nothing.
    deepstack: deepstack && floatArray(deepstack.type, deepstack.levels * width * hiddenSize),
    positions: [null],
    past: Int32Array.of(from),
    count: Int32Array.of(width),
  };
}

/** Looks like noise of the size of embeddings and is the same on every run. */
const wave = (index: number): number => Math.sin(index * 12.9898) * 0.5;
