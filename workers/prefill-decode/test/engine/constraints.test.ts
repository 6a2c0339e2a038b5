import test from 'ava';
import type { Constraint } from '@epd/constraint';
import type { Engine } from '../../src/engine/index.ts';
import { faultOf } from '../../src/constraint/validation.ts';
import { generate, sampling, sharedEngines, type Finished } from '../helpers/engine.ts';
import { readGolden } from '../helpers/golden.ts';

const { cases, embeddings } = await readGolden();
const [plain] = cases;
if (!plain) throw new Error('The golden cases have changed');
const [engine, successor] = (await sharedEngines(test, 2, { embeddings })) as [Engine, Engine];

const json = (schema: unknown): Constraint => ({ type: 'json', schema, ordered: false });

const short = { type: 'string', maxLength: 6 };
const RECEIPT = json({
  type: 'object',
  properties: {
    shop: short,
    total: { type: 'number', minimum: 0, maximum: 100, multipleOf: 0.01 },
    paid: { type: 'boolean' },
    lines: {
      type: 'array',
      maxItems: 2,
      items: {
        type: 'object',
        properties: { name: short, count: { type: 'integer', minimum: 1, maximum: 9 } },
        required: ['name', 'count'],
        additionalProperties: false,
      },
    },
  },
  required: ['shop', 'total', 'paid'],
  additionalProperties: false,
});

async function answer(
  to: Engine,
  constraint: Constraint,
  parameters: Parameters<typeof sampling>[0] = {},
  resume?: readonly (readonly number[])[],
): Promise<Finished> {
  await to.prepare(constraint);
  const asked = { temperature: 1.5, maxTokens: 300, ...parameters, constraint };
  return generate(to, { ...plain!, sampling: sampling(asked), ...(resume && { resume }) });
}

const CONSTRAINTS: Readonly<Record<string, Constraint>> = {
  receipt: RECEIPT,
  choice: { type: 'choice', choices: ['yes', 'no', 'perhaps, é'] },
  regex: { type: 'regex', pattern: String.raw`\d{3}-(ab|cd)+x?` },
  union: json({ anyOf: [{ type: 'null' }, { const: 'a' }, { type: 'integer', maximum: 99 }] }),
  formats: json({
    type: 'object',
    properties: { day: { format: 'date', type: 'string' }, id: { format: 'uuid', type: 'string' } },
    required: ['day', 'id'],
    additionalProperties: false,
  }),
};

for (const [name, constraint] of Object.entries(CONSTRAINTS)) {
  test(`whatever the seed, a ${name} that ends is valid`, async (t) => {
    const seeds = [1, 2, 3, 4, 5, 6];
    const all = await Promise.all(seeds.map((seed) => answer(engine, constraint, { seed })));
    for (const { choices } of all) {
      const [choice] = choices;
      t.truthy(choice);
      if (choice?.finishReason === 'stop')
        t.is(faultOf(constraint, choice.text), null, choice.text);
    }
    t.true(all.some(({ choices }) => choices[0]?.finishReason === 'stop'));
  });
}

test('the same seed gives the same answer, and another worker resumes it where it stood', async (t) => {
  const [whole] = (await answer(engine, RECEIPT, { seed: 9 })).choices;
  const tokens = whole?.tokenIds ?? [];
  t.true(tokens.length > 8);
  for (const length of [1, 5, tokens.length - 1]) {
    const resumed = await answer(successor, RECEIPT, { seed: 9 }, [tokens.slice(0, length)]);
    t.is(resumed.choices[0]?.text, whole?.text);
  }
});

test('several answers, log probabilities and a bound of tokens go with a constraint', async (t) => {
  const parameters = { n: 3, topLogprobs: 2, maxTokens: 4, temperature: 1 };
  const { choices } = await answer(engine, RECEIPT, parameters);
  t.deepEqual(
    choices.map(({ finishReason, tokenIds, logprobs }) => [
      finishReason,
      tokenIds.length,
      logprobs?.length,
    ]),
    Array.from({ length: 3 }, () => ['length', 4, 4]),
  );
});

test('a free answer beside constrained ones is its own', async (t) => {
  const free = generate(engine, { ...plain, sampling: sampling() });
  await Promise.all([1, 2, 3].map((seed) => answer(engine, RECEIPT, { seed })));
  t.deepEqual((await free).choices[0]?.tokenIds, plain.expected);
});

test('what cannot be held to is refused by name', async (t) => {
  const refused = engine.prepare(json({ type: 'array', contains: {} }));
  t.like(await t.throwsAsync(refused), { code: 'constraint_refused' });
});
