import type { Constraint } from '@epd/constraint';
import type { Choice, Sampling } from '@epd/jobs';
import test from 'ava';
import { array, assert, asyncProperty, constantFrom, integer, record } from 'fast-check';
import { createEngine } from '../../../src/engine/index.ts';
import { engineOptions, generate, sampling, settled, startEngine } from '../../helpers/engine.ts';
import { ask, readGolden } from '../../helpers/golden.ts';

const { cases, prompts, embeddings } = await readGolden();
const plain = await createEngine(engineOptions({ embeddings }));
const drafting = await createEngine(engineOptions({ embeddings, draftTokens: 8 }));
const ofImage = cases.find(({ features }) => features.length === 1);
const ofText = cases.find(({ features }) => features.length === 0);
if (!ofImage || !ofText) throw new Error('The golden cases have changed');

const LIST: Constraint = {
  type: 'json',
  schema: { type: 'array', items: { type: 'integer' }, minItems: 20, maxItems: 24 },
  ordered: false,
};
await Promise.all([plain.prepare(LIST), drafting.prepare(LIST)]);
test.after.always(() => Promise.all([plain.close(), drafting.close()]));

/** What repeats itself: an answer that may not end. */
const ENDLESS = { maxTokens: 90, ignoreEos: true };

test.serial('golden answers are the same with drafts, in a conversation, too', async (t) => {
  for (const { name, tokens, features, expected, ...turn } of cases.slice(0, 8)) {
    const again = { ...ask(prompts, turn, [turn, turn]), sampling: sampling() };
    const [first, last] = await Promise.all([
      generate(drafting, { tokens, features, sampling: sampling() }),
      generate(drafting, again),
    ]);
    t.deepEqual(first.choices[0]?.tokenIds, expected, name);
    t.deepEqual(last.choices, (await generate(plain, again)).choices, name);
  }
});

const SAMPLINGS: Record<string, Partial<Sampling>> = {
  greedy: {},
  'that stops': { stop: ['e ', '1'], minTokens: 20 },
  'with log probabilities': { topLogprobs: 2 },
  'that penalizes': { repetitionPenalty: 1.02, presencePenalty: 0.1 },
  'of a token more likely': { logitBias: [[120, 4]], minTokens: 60, ignoreEos: false },
  seeded: { temperature: 0.3, topP: 0.9, seed: 4 },
  'of two answers': { temperature: 0.4, n: 2 },
  constrained: { constraint: LIST, maxTokens: 200, ignoreEos: false },
};

const textOf = ({ text, tokenIds, finishReason, stoppedBy }: Choice) => ({
  text,
  tokenIds,
  finishReason,
  stoppedBy,
});

/** The tokens of a run are summed in another order than those of a step: the fifth digit may differ. */
const rounded = (choices: readonly Choice[]) =>
  choices.map((choice) => ({
    ...textOf(choice),
    logprobs: choice.logprobs?.map(({ id, logprob }) => [id, Math.round(logprob * 1000)]),
  }));

for (const [name, parameters] of Object.entries(SAMPLINGS)) {
  test.serial(`an answer is the same with drafts, whole and resumed: ${name}`, async (t) => {
    const before = drafting.stats().drafts.kept;
    for (const { tokens, features } of [ofText, ofImage]) {
      const asked = { tokens, features, sampling: sampling({ ...ENDLESS, ...parameters }) };
      const { choices } = await generate(plain, asked);
      t.deepEqual(rounded((await generate(drafting, asked)).choices), rounded(choices));
      const resume = choices.map(({ tokenIds }) => tokenIds.slice(0, 40));
      const resumed = await generate(drafting, { ...asked, resume });
      t.deepEqual(resumed.choices.map(textOf), choices.map(textOf));
    }
    t.true(drafting.stats().drafts.kept > before);
  });
}

/** Tokens that are text, in phrases that come again. */
const phrases = array(array(integer({ min: 100, max: 400 }), { minLength: 2, maxLength: 6 }), {
  minLength: 1,
  maxLength: 4,
})
  .chain((all) => array(constantFrom(...all), { minLength: 2, maxLength: 10 }))
  .map((chosen) => chosen.flat());

const question = record({ tokens: phrases, maxTokens: integer({ min: 1, max: 60 }) }).map(
  ({ tokens, maxTokens }) => ({
    tokens,
    features: [],
    sampling: sampling({ maxTokens, ignoreEos: true, topLogprobs: 2 }),
  }),
);

test.serial('random prompts are answered the same with drafts, alone and together', async (t) => {
  const several = array(question, { minLength: 1, maxLength: 3 });
  const same = asyncProperty(several, async (all) => {
    const drafted = await Promise.all(all.map((each) => generate(drafting, each)));
    for (const [index, { choices }] of drafted.entries()) {
      const ids = settled((await generate(plain, all[index]!)).choices[0]!);
      t.deepEqual(choices[0]?.tokenIds.slice(0, ids.length), ids);
    }
  });
  const before = drafting.stats().drafts.kept;
  await assert(same, { numRuns: 12, includeErrorInReport: true });
  t.true(drafting.stats().drafts.kept > before);
});

test.serial('a plain export drafts, too', async (t) => {
  const decoder = 'decoder_model_merged_eager.onnx';
  const engine = await startEngine(t, { decoder, embeddings, draftTokens: 5 });
  const asked = [ofText, ofImage].map(({ tokens, features }) => ({
    tokens,
    features,
    sampling: sampling(ENDLESS),
  }));
  const found = await Promise.all(asked.map((each) => generate(engine, each)));
  for (const [index, { choices }] of found.entries())
    t.deepEqual(choices, (await generate(plain, asked[index]!)).choices);
  t.true(engine.stats().drafts.kept > 0);
});
