import { join } from 'node:path';
import type { Embedding } from '@epd/connector';
import test, { type ExecutionContext } from 'ava';
import type { Engine } from '../../src/engine/index.ts';
import { generate, sampling, startEngine } from '../helpers/engine.ts';
import { Miniature, type Golden } from '../helpers/miniature.ts';

const ANSWER_TOKENS = 12;
/** Of 40. Weights of 4 bits round logits to ties, which sums made in another order break otherwise. */
const MOST = 30;

async function answers(engine: Engine, miniature: Miniature, cases: Golden['cases']) {
  const asked = cases.map(async (one) => {
    const prompt = miniature.prompt(one);
    const finished = await generate(engine, {
      tokens: prompt.tokens,
      positions: prompt.positions,
      features: miniature.features(prompt, one.images),
      sampling: sampling({ maxTokens: ANSWER_TOKENS, ignoreEos: true }),
    });
    return finished.choices[0]!.tokenIds.join();
  });
  return Promise.all(asked);
}

/** Answers one at a time with whole prompts, and together with prompts in chunks. */
async function bothWays(t: ExecutionContext, decoder: string, embedTokens?: string) {
  const miniature = await Miniature.open('llava');
  const { cases } = miniature.golden;
  const embeddings = new Map<string, Embedding>();
  for (const { images } of cases) {
    for (const image of images) embeddings.set(image.join(), await miniature.embedding(image));
  }
  const variants = join(miniature.folder, '../llava_variants');
  const options = {
    modelFolder: miniature.folder,
    decoder: join(variants, decoder),
    ...(embedTokens === undefined ? {} : { embedTokens }),
    embeddings,
    maxHeld: 256,
  };
  const one = await startEngine(t, { ...options, maxBatch: 1, tokenBudgetPerStep: 2048 });
  const alone = await answers(one, miniature, cases);
  const many = await startEngine(t, { ...options, tokenBudgetPerStep: 40 });
  const together = await answers(many, miniature, cases);
  const golden = cases.map(({ tokens }) => tokens.join());
  t.is(alone.length, 40);
  t.log(
    `as in fp32: ${agreeing(alone, golden)} of 40; in batches as alone: ${agreeing(together, alone)}`,
  );
  return { alone, together, golden };
}

const agreeing = (a: readonly string[], b: readonly string[]): number =>
  a.filter((answer, i) => answer === b[i]).length;

test('a decoder in fp16 with caches of 16 bits answers as in fp32 nearly always, alone and in batches', async (t) => {
  const { alone, together, golden } = await bothWays(t, 'decoder_model_merged_fp16.onnx');
  t.true(agreeing(alone, golden) >= MOST, `${agreeing(alone, golden)}`);
  t.true(agreeing(together, alone) >= MOST, `${agreeing(together, alone)}`);
});

test('a decoder of 4-bit weights answers in batches as alone, but for ties', async (t) => {
  const { alone, together } = await bothWays(t, 'decoder_model_merged_q4.onnx', 'q4');
  t.true(agreeing(together, alone) >= MOST, `${agreeing(together, alone)}`);
});

test('a decoder that quantizes activations as they come is loaded and answers', async (t) => {
  const { alone, together } = await bothWays(t, 'decoder_model_merged_q8.onnx');
  for (const answer of [...alone, ...together]) t.is(answer.split(',').length, ANSWER_TOKENS);
});
