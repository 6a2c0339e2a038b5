import { imageLayout } from '@epd/model/geometry';
import test, { type ExecutionContext } from 'ava';
import type { Engine } from '../../src/engine/index.ts';
import { generate, sampling, settled, startEngine } from '../helpers/engine.ts';
import { farthest, Miniature, type Golden } from '../helpers/miniature.ts';

/** Pixels are rounded to six places in the file; features are sums made in another order. */
const PIXEL_TOLERANCE = 2e-6;
const FEATURE_TOLERANCE = 1e-4;
const ANSWER_TOKENS = 12;
/** Long enough that answers repeat themselves. */
const LONG = { maxTokens: 60, topLogprobs: 2 };
const DRAFTED_CASES = 6;

const FAMILIES = ['qwen2_5_vl', 'qwen3_vl', 'gemma3', 'llava'];

type Case = Golden['cases'][number];

const unrolled = (runs: Case['prompt']): number[] =>
  runs.flatMap(([id, count]) => Array.from({ length: count }, () => id));

async function engineOf(
  t: ExecutionContext,
  miniature: Miniature,
  options: Parameters<typeof startEngine>[1] = {},
): Promise<Engine> {
  const embeddings = new Map();
  for (const { images } of miniature.golden.cases) {
    for (const image of images) embeddings.set(image.join(), await miniature.embedding(image));
  }
  const modelFolder = miniature.folder;
  return startEngine(t, { modelFolder, embeddings, maxHeld: 256, ...options });
}

async function answer(
  engine: Engine,
  miniature: Miniature,
  asked: Case,
  resume: readonly number[] = [],
): Promise<{ ids: readonly number[]; cached: number }> {
  const finished = await generate(engine, {
    ...requestOf(miniature, asked, { maxTokens: ANSWER_TOKENS }),
    ...(resume.length > 0 ? { resume: [resume] } : {}),
  });
  return { ids: finished.choices[0]!.tokenIds, cached: finished.usage.cachedTokens };
}

function requestOf(miniature: Miniature, asked: Case, parameters: Parameters<typeof sampling>[0]) {
  const prompt = miniature.prompt(asked);
  return {
    tokens: prompt.tokens,
    positions: prompt.positions,
    features: miniature.features(prompt, asked.images),
    sampling: sampling({ ignoreEos: true, ...parameters }),
  };
}

for (const name of FAMILIES) {
  test(`${name}: sizes, prompts and positions are PyTorch's`, async (t) => {
    const miniature = await Miniature.open(name);
    const { golden, prompts } = miniature;
    for (const [width, height, tokens] of golden.sizes ?? []) {
      t.is(imageLayout(prompts.geometry, width, height).tokens, tokens, `${width}x${height}`);
    }
    t.is(golden.cases.length, 40);
    for (const asked of golden.cases) {
      const { tokens, positions } = miniature.prompt(asked);
      t.deepEqual(tokens, unrolled(asked.prompt));
      t.deepEqual(positions ? [...positions.rows] : undefined, asked.positions?.flat());
      t.is(positions?.delta, asked.delta);
    }
  });

  test(`${name}: pixels and features are PyTorch's`, async (t) => {
    const miniature = await Miniature.open(name);
    for (const { image, pixels, features } of miniature.golden.features) {
      t.true(farthest(pixels, (await miniature.item(image)).data) <= PIXEL_TOLERANCE);
      const { data } = await miniature.embedding(image);
      const found = new Float32Array(data.buffer);
      t.true(farthest(features, found) <= FEATURE_TOLERANCE);
    }
  });

  test(`${name}: answers are PyTorch's, in batches, from cached prefixes, and resumed`, async (t) => {
    const miniature = await Miniature.open(name);
    const { cases } = miniature.golden;
    const engine = await engineOf(t, miniature, { tokenBudgetPerStep: 40 });
    const together = await Promise.all(cases.map((asked) => answer(engine, miniature, asked)));
    t.deepEqual(
      together.map(({ ids }) => ids),
      cases.map(({ tokens }) => tokens),
    );
    const again = await Promise.all(cases.map((asked) => answer(engine, miniature, asked)));
    t.deepEqual(
      again.map(({ ids }) => ids),
      cases.map(({ tokens }) => tokens),
    );
    t.true(again.some(({ cached }) => cached > 0));
    const resumed = await Promise.all(
      cases.map((asked) => answer(engine, miniature, asked, asked.tokens.slice(0, 5))),
    );
    t.deepEqual(
      resumed.map(({ ids }) => ids),
      cases.map(({ tokens }) => tokens),
    );
  });

  test(`${name}: answers are PyTorch's with prompts in small chunks`, async (t) => {
    const miniature = await Miniature.open(name);
    const { cases } = miniature.golden;
    const engine = await engineOf(t, miniature, { maxBatch: 1, tokenBudgetPerStep: 1 });
    for (const asked of cases.filter(({ images }) => images.length > 1)) {
      t.deepEqual((await answer(engine, miniature, asked)).ids, asked.tokens);
    }
  });
  test(`${name}: long answers are the same with drafts`, async (t) => {
    const miniature = await Miniature.open(name);
    const plain = await engineOf(t, miniature);
    const drafting = await engineOf(t, miniature, { draftTokens: 8, maxBatch: 1 });
    for (const asked of miniature.golden.cases.slice(0, DRAFTED_CASES)) {
      const request = requestOf(miniature, asked, LONG);
      const ids = settled((await generate(plain, request)).choices[0]!);
      const [drafted] = (await generate(drafting, request)).choices;
      t.deepEqual(drafted?.tokenIds.slice(0, ids.length), ids);
    }
    t.true(drafting.stats().drafts.computed > 0);
  });
}
