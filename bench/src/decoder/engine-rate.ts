// The bench looks at the engine by itself, which no service may.
// oxlint-disable-next-line no-restricted-imports
import { createEngine, type Engine, type EngineEvent } from '@epd/prefill-decode/engine';
import type { DecodeSetting } from './decode-setting.ts';
import { promptOf } from './prompt.ts';

const GIB = 2 ** 30;

/** Tokens per second of a batch in the engine, from the step at which all of it decodes. */
export async function engineRate(setting: DecodeSetting, decoder: string): Promise<number> {
  const { modelDir, cacheFolder, threads, batch, context } = setting;
  const engine = await createEngine({
    modelFolder: modelDir,
    cacheFolder,
    threads,
    decoder,
    kvCacheBytes: 2 * GIB,
    encoderCacheBytes: 2 ** 20,
    tokenBudgetPerStep: 2 * context,
    maxBatch: batch,
    maxHeld: batch,
    connector: null,
  });
  try {
    await measure(engine, { ...setting, tokens: 4 });
    return await measure(engine, setting);
  } finally {
    await engine.close();
  }
}

/** Sequences begin one after another and end in the same order: counted is what lies between. */
async function measure(engine: Engine, { batch, context, tokens }: DecodeSetting): Promise<number> {
  const times = new Map<string, number[]>();
  const ended = Promise.withResolvers<void>();
  let left = batch;
  const off = engine.on((event: EngineEvent) => {
    if (event.type === 'failed') ended.reject(new Error(event.error.message));
    if (event.type === 'tokens') times.get(event.id)?.push(performance.now());
    if (event.type === 'finished' && --left === 0) ended.resolve();
  });
  for (let index = 0; index < batch; index++) {
    const id = `${tokens}-${index}`;
    times.set(id, []);
    engine.add({
      id,
      tokens: promptOf(context, index),
      features: [],
      sampling: { ...SAMPLING, maxTokens: tokens },
    });
  }
  await ended.promise;
  off();
  return rateBetween([...times.values()]);
}

function rateBetween(times: readonly (readonly number[])[]): number {
  const start = Math.max(...times.map((each) => each[0] ?? 0));
  const end = Math.min(...times.map((each) => each.at(-1) ?? 0));
  const counted = times.flat().filter((time) => time > start && time <= end).length;
  return (1000 * counted) / (end - start);
}

const SAMPLING = {
  temperature: 0,
  topP: 1,
  topK: 0,
  minP: 0,
  repetitionPenalty: 1,
  presencePenalty: 0,
  frequencyPenalty: 0,
  seed: 0,
  stop: [],
  ignoreEos: true,
  n: 1,
  topLogprobs: null,
};
