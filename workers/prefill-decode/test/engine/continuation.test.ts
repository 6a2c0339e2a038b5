import test from 'ava';
import type { EngineEvent } from '../../src/engine/index.ts';
import { generate, sampling, sharedEngines } from '../helpers/engine.ts';
import { readGolden } from '../helpers/golden.ts';

const { cases, embeddings } = await readGolden();
const [engine, other] = await sharedEngines(test, 2, { embeddings });
const long = cases.find(({ expected }) => expected.length > 60);
const image = cases.find(({ features, expected }) => features.length === 1 && expected.length > 5);
if (!long || !image || !engine || !other) throw new Error('The golden cases have changed');

const SAMPLINGS = {
  greedy: sampling({ maxTokens: 40 }),
  seeded: sampling({ maxTokens: 40, temperature: 1.5, topP: 0.95, seed: 77, ignoreEos: true }),
  penalized: sampling({
    maxTokens: 40,
    temperature: 1,
    repetitionPenalty: 1.3,
    frequencyPenalty: 0.5,
    seed: 3,
    ignoreEos: true,
  }),
  'with a stop string': sampling({
    maxTokens: 40,
    temperature: 1.5,
    seed: 5,
    stop: ['e '],
    ignoreEos: true,
  }),
  'of two answers': sampling({ maxTokens: 20, temperature: 1.5, seed: 9, n: 2, ignoreEos: true }),
};

for (const [name, parameters] of Object.entries(SAMPLINGS)) {
  for (const prompt of [long, image]) {
    test(`a resumed generation continues as if it had not been interrupted: ${name}, ${prompt.name}`, async (t) => {
      const undisturbed: EngineEvent[] = [];
      const request = { tokens: prompt.tokens, features: prompt.features, sampling: parameters };
      const expected = await generate(engine, request, undisturbed);
      for (const emitted of [1, 3, 11]) {
        const resume = expected.choices.map(({ tokenIds }) => tokenIds.slice(0, emitted));
        const events: EngineEvent[] = [];
        const finished = await generate(other, { ...request, resume }, events);
        t.deepEqual(finished.choices, expected.choices);
        for (const [choice] of expected.choices.entries()) {
          const before = pieces(undisturbed, choice).slice(0, emitted);
          const after = pieces(events, choice);
          t.deepEqual([...before, ...after], pieces(undisturbed, choice));
        }
      }
    });
  }
}

test('a generation that had ended before it was taken over ends at once', async (t) => {
  const request = { ...long, sampling: sampling({ maxTokens: 10 }) };
  const expected = await generate(engine, request);
  const resume = [expected.choices[0]?.tokenIds ?? []];
  const events: EngineEvent[] = [];
  const finished = await generate(engine, { ...request, resume }, events);
  t.deepEqual(finished.choices, expected.choices);
  t.deepEqual(
    events.map(({ type }) => type),
    ['finished'],
  );
});

function pieces(
  events: readonly EngineEvent[],
  choice: number,
): { ids: readonly number[]; text: string }[] {
  return events.flatMap((event) =>
    event.type === 'tokens' && event.choice === choice
      ? [{ ids: event.ids, text: event.text }]
      : [],
  );
}
