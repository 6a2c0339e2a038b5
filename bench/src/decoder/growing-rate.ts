import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { DecodeSetting } from './decode-setting.ts';

type Feeds = Record<string, Tensor>;

/**
 * Tokens per second of a loop that feeds a plain export with the cache that it returned. The prompt's
 * cache is made up, for its content costs nothing; all rows have the same length, which is the best
 * case of this form.
 */
export async function growingRate(setting: DecodeSetting, decoder: string): Promise<number> {
  const { modelDir, threads, batch, context, tokens } = setting;
  const session = await InferenceSession.create(join(modelDir, 'onnx', decoder), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
    logSeverityLevel: 3,
  });
  try {
    let past = emptyPast(session, batch, context);
    let start = 0;
    for (let step = 0; step < tokens; step++) {
      // The first steps pay for allocations.
      if (step === WARM_UP) start = performance.now();
      const outputs = await session.run({ ...past, ...newTokens(session, batch, context + step) });
      choose(outputs['logits'], batch);
      past = grown(past, outputs);
    }
    return (1000 * batch * (tokens - WARM_UP)) / (performance.now() - start);
  } finally {
    await session.release();
  }
}

const WARM_UP = 4;

function emptyPast(session: InferenceSession, batch: number, length: number): Feeds {
  const caches = session.inputMetadata.filter(({ name }) => name.startsWith('past_key_values'));
  return Object.fromEntries(
    caches.map((cache) => {
      const [, heads = 0, , dim = 0] = cache.isTensor ? cache.shape.map(Number) : [];
      const data = new Float32Array(batch * heads * length * dim).fill(0.01);
      return [cache.name, new Tensor('float32', data, [batch, heads, length, dim])];
    }),
  );
}

function newTokens(session: InferenceSession, batch: number, past: number): Feeds {
  const embeds = session.inputMetadata.find(({ name }) => name === 'inputs_embeds');
  const width = embeds?.isTensor ? Number(embeds.shape[2]) : 0;
  const ones = new BigInt64Array(batch * (past + 1)).fill(1n);
  const positions = new BigInt64Array(batch).fill(BigInt(past));
  return {
    inputs_embeds: new Tensor('float32', new Float32Array(batch * width).fill(0.02), [
      batch,
      1,
      width,
    ]),
    attention_mask: new Tensor('int64', ones, [batch, past + 1]),
    position_ids: new Tensor('int64', positions, [batch, 1]),
  };
}

function grown(past: Feeds, outputs: Readonly<Feeds>): Feeds {
  const pairs = Object.keys(past).map((name) => {
    const present = outputs[name.replace('past_key_values', 'present')];
    if (!present) throw new Error(`The decoder returned nothing for ${name}`);
    return [name, present] as const;
  });
  return Object.fromEntries(pairs);
}

/** What greedy decoding does with the logits, so that both sides pay for it. */
function choose(logits: Tensor | undefined, batch: number): number[] {
  const data = (logits?.data ?? new Float32Array()) as Float32Array;
  const vocabulary = data.length / batch;
  return Array.from({ length: batch }, (_, row) => {
    let best = 0;
    for (let id = 1; id < vocabulary; id++) {
      if ((data[row * vocabulary + id] ?? 0) > (data[row * vocabulary + best] ?? 0)) best = id;
    }
    return best;
  });
}
