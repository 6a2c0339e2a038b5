// The bench looks at the engine by itself, which no service may.
// oxlint-disable-next-line no-restricted-imports
import { createEngine, type Engine, type EngineEvent } from '@epd/prefill-decode/engine';
import type { DecodeSetting } from './decode-setting.ts';
import type { DecoderRates } from './decoder-rates.ts';
import { promptOf } from './prompt.ts';
import { rateBetween } from './rate-between.ts';

const GIB = 2 ** 30;
const WARM_UP_TOKENS = 4;
/** Prompts that are only prefilled share nothing with those that are decoded from. */
const PREFILLED = 1000;

/** Tokens per second of a batch in the engine, from the step at which all of it decodes. */
export async function engineRate(setting: DecodeSetting, decoder: string): Promise<number> {
  const engine = await startEngine(setting, decoder);
  try {
    return (await decodeRate(engine, setting)).tokensPerS;
  } finally {
    await engine.close();
  }
}

/** The rates of one engine at several batches and lengths of prompts. */
export async function engineRates(
  setting: Omit<DecodeSetting, 'batch'>,
  decoder: string,
  points: { readonly batches: readonly number[]; readonly prompts: readonly number[] },
): Promise<DecoderRates> {
  const engine = await startEngine({ ...setting, batch: Math.max(...points.batches) }, decoder);
  try {
    const prefill: number[] = [];
    for (const length of points.prompts) prefill.push(await prefillRate(engine, length));
    const decode: number[] = [];
    let answer: readonly number[] = [];
    for (const batch of points.batches) {
      const run = await decodeRate(engine, { ...setting, batch });
      decode.push(run.tokensPerS);
      answer = run.answer;
    }
    return { decode, prefill, answer };
  } finally {
    await engine.close();
  }
}

export function startEngine(
  setting: Omit<DecodeSetting, 'tokens'>,
  decoder: string,
  draftTokens = 0,
): Promise<Engine> {
  const { modelDir, cacheFolder, threads, batch, context } = setting;
  return createEngine({
    modelFolder: modelDir,
    cacheFolder,
    threads,
    // The machine is the measurement's own, as its peers take it.
    threadsSpin: true,
    decoder,
    kvCacheBytes: 2 * GIB,
    encoderCacheBytes: 2 ** 20,
    tokenBudgetPerStep: 2 * context,
    draftTokens,
    maxBatch: batch,
    maxHeld: batch,
    connector: null,
  });
}

function decodeRate(
  engine: Engine,
  { batch, context, tokens }: Pick<DecodeSetting, 'batch' | 'context' | 'tokens'>,
): Promise<Rate> {
  const prompts = Array.from({ length: batch }, (_, index) => promptOf(context, index));
  return rateOf(engine, prompts, tokens);
}

export interface Rate {
  readonly tokensPerS: number;
  /** Of all threads, a token. */
  readonly cpuMs: number;
  /** The first prompt's. */
  readonly answer: readonly number[];
}

/** Of answers of `tokens` tokens to all prompts at once, whose prefill is not counted. */
export async function rateOf(
  engine: Engine,
  prompts: readonly number[][],
  tokens: number,
): Promise<Rate> {
  await generate(engine, prompts, WARM_UP_TOKENS);
  const before = process.cpuUsage();
  const answers = await generate(engine, prompts, tokens);
  const { user, system } = process.cpuUsage(before);
  return {
    tokensPerS: rateBetween(answers.map(({ times }) => times)),
    cpuMs: (user + system) / 1000 / (tokens * prompts.length),
    answer: answers[0]?.tokenIds ?? [],
  };
}

/** Of a prompt that nothing is known of, until its first token. */
async function prefillRate(engine: Engine, length: number): Promise<number> {
  // The first one pays for allocations.
  await generate(engine, [promptOf(length, PREFILLED)], 1);
  const startedAt = performance.now();
  await generate(engine, [promptOf(length, PREFILLED + 1)], 1);
  return (1000 * length) / (performance.now() - startedAt);
}

interface Answer {
  readonly times: number[];
  tokenIds: readonly number[];
}

/** All at once; each has `tokens` tokens. */
async function generate(
  engine: Engine,
  prompts: readonly number[][],
  tokens: number,
): Promise<Answer[]> {
  const answers = new Map<string, Answer>();
  const ended = Promise.withResolvers<void>();
  let left = prompts.length;
  const off = engine.on((event: EngineEvent) => {
    if (event.type === 'failed') ended.reject(new Error(event.error.message));
    const answer = 'id' in event ? answers.get(event.id) : undefined;
    if (!answer) return;
    if (event.type === 'tokens') answer.times.push(performance.now());
    if (event.type !== 'finished') return;
    answer.tokenIds = event.choices[0]?.tokenIds ?? [];
    if (--left === 0) ended.resolve();
  });
  for (const [index, prompt] of prompts.entries()) {
    const id = `${prompt.length}-${tokens}-${index}`;
    answers.set(id, { times: [], tokenIds: [] });
    engine.add({
      id,
      tokens: prompt,
      features: [],
      sampling: { ...SAMPLING, maxTokens: tokens },
    });
  }
  await ended.promise;
  off();
  return [...answers.values()];
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
