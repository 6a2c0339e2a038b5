import { InferenceSession } from 'onnxruntime-node';
import { decoderFacts, type DecoderFacts, type ForwardRun } from '../decoder/decoder-graph.ts';
import { floatArray, type FloatArray, type FloatType } from '../decoder/float-array.ts';
import type { KVBackend } from '../decoder/kv-backend.ts';
import { ReturningBackend } from '../decoder/returning-backend.ts';
import { TwoPartBackend } from '../decoder/two-part-backend.ts';
import { NotRewritableError, relativeDifference } from '@epd/graph';

/** Tolerated difference, as a share of the largest logit: sums are computed in another order. */
const TOLERANCE = { float32: 1e-3, float16: 3e-2 } as const;
const SLOTS = 2;
const LENGTH = 32;

/**
 * Runs both graphs over the same embeddings: two prompts of different lengths, one of them in two
 * chunks, then steps with both rows. Throws `NotRewritableError` when the logits differ.
 */
export async function verifyRewritten(
  original: string,
  rewritten: string,
  options: InferenceSession.SessionOptions,
): Promise<string> {
  const before = await InferenceSession.create(original, options);
  try {
    const facts = decoderFacts(before, true);
    const expected = await logitsOf(new ReturningBackend(before, facts), facts);
    const actual = await rewrittenLogits(rewritten, facts, options);
    const difference = relativeDifference(expected, actual);
    if (difference <= TOLERANCE[cacheType(facts)]) {
      return `rewritten; logits differ by at most ${difference.toExponential(1)} of the largest`;
    }
    throw new NotRewritableError(`the rewritten graph's logits differ by ${difference}`);
  } finally {
    await before.release();
  }
}

/** A graph that the runtime rejects is one that the pass did not understand. */
async function rewrittenLogits(
  path: string,
  facts: DecoderFacts,
  options: InferenceSession.SessionOptions,
): Promise<Float32Array[]> {
  try {
    const session = await InferenceSession.create(path, options);
    try {
      return await logitsOf(new TwoPartBackend(session, decoderFacts(session, false)), facts);
    } finally {
      await session.release();
    }
  } catch (cause) {
    throw new NotRewritableError(`the rewritten graph does not run: ${String(cause)}`, { cause });
  }
}

async function logitsOf(backend: KVBackend, facts: DecoderFacts): Promise<Float32Array[]> {
  await backend.layout(SLOTS, LENGTH, []);
  const logits: Float32Array[] = [];
  for (const run of script(facts)) logits.push(await backend.forward(run));
  return logits;
}

const cacheType = ({ kv }: DecoderFacts): FloatType =>
  kv.some(({ type }) => type === 'float16') ? 'float16' : 'float32';

function script(facts: DecoderFacts): ForwardRun[] {
  const run = (
    firstSlot: number,
    past: number[],
    count: number[],
    logits = count.map(() => 1),
  ): ForwardRun => {
    const width = Math.max(...count);
    const embeds = floatArray(facts.embedsType, past.length * width * facts.hiddenSize);
    for (let i = 0; i < embeds.length; i++)
      embeds[i] = wave(i + 7 * firstSlot + 131 * (past[0] ?? 0));
    return {
      firstSlot,
      rows: past.length,
      width,
      embeds,
      deepstack: deepstackOf(facts, embeds.length),
      positions: past.map(() => null),
      past: Int32Array.from(past),
      count: Int32Array.from(count),
      logits: Int32Array.from(logits),
    };
  };
  return [
    run(0, [0], [11]),
    run(1, [0], [5]),
    run(1, [5], [3], [3]),
    run(0, [11, 8], [1, 1]),
    run(0, [12, 9], [1, 1]),
  ];
}

function deepstackOf({ deepstack }: DecoderFacts, size: number): FloatArray | null {
  if (deepstack === null) return null;
  const values = floatArray(deepstack.type, deepstack.levels * size);
  for (let i = 0; i < values.length; i++) values[i] = wave(3 * i);
  return values;
}

/** Deterministic noise of the magnitude of embeddings. */
function wave(index: number): number {
  return Math.sin(index * 12.9898) * 0.5;
}
