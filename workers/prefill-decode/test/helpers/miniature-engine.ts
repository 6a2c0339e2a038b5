import type { Embedding } from '@epd/connector';
import type { Sampling } from '@epd/jobs';
import type { ExecutionContext } from 'ava';
import type { Engine, EngineOptions, EngineRequest } from '../../src/engine/index.ts';
import { generate, sampling, startEngine } from './engine.ts';
import type { Golden, Miniature } from './miniature.ts';

/** Tokens that PyTorch gave in each case. */
export const ANSWER_TOKENS = 12;

type Case = Golden['cases'][number];

/** An engine that knows the embeddings of all cases of a miniature. */
export async function engineOf(
  t: ExecutionContext,
  miniature: Miniature,
  options: Partial<EngineOptions> = {},
): Promise<Engine> {
  const embeddings = new Map<string, Embedding>();
  for (const { images } of miniature.golden.cases) {
    for (const image of images) embeddings.set(image.join(), await miniature.embedding(image));
  }
  const modelFolder = miniature.folder;
  return startEngine(t, { modelFolder, embeddings, maxHeld: 256, ...options });
}

/** Greedy tokens of one case; `resume`: those that were streamed before. */
export async function answer(
  engine: Engine,
  miniature: Miniature,
  asked: Case,
  resume: readonly number[] = [],
): Promise<{ ids: readonly number[]; cached: number }> {
  const finished = await generate(engine, {
    ...requestOf(miniature, asked),
    ...(resume.length > 0 ? { resume: [resume] } : {}),
  });
  return { ids: finished.choices[0]!.tokenIds, cached: finished.usage.cachedTokens };
}

/** A case as a request to the engine, greedy unless the parameters say otherwise. */
export function requestOf(
  miniature: Miniature,
  asked: Case,
  parameters: Partial<Sampling> = {},
): Omit<EngineRequest, 'id'> {
  const prompt = miniature.prompt(asked);
  return {
    tokens: prompt.tokens,
    positions: prompt.positions,
    features: miniature.features(prompt, asked.images),
    sampling: sampling({ maxTokens: ANSWER_TOKENS, ignoreEos: true, ...parameters }),
  };
}

/** Answers to all cases, which are asked at once. */
export async function answers(
  engine: Engine,
  miniature: Miniature,
  cases: readonly Case[] = miniature.golden.cases,
): Promise<(readonly number[])[]> {
  const asked = await Promise.all(cases.map((one) => answer(engine, miniature, one)));
  return asked.map(({ ids }) => ids);
}

/** In how many cases two lists of answers are the same. */
export const agreeing = (
  a: readonly (readonly number[])[],
  b: readonly (readonly number[])[],
): number => a.filter((tokens, i) => tokens.join() === b[i]?.join()).length;
