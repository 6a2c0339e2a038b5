import type { OutputDelta } from '@epd/jobs';
import test from 'ava';
import type { EngineEvent } from '../../../src/engine/index.ts';
import { generate, sampling, sharedEngines, startEngine } from '../../helpers/engine.ts';
import { readGolden } from '../../helpers/golden.ts';

const { cases, prompts, embeddings } = await readGolden();
const [engine] = await sharedEngines(test, 1, { embeddings });
const long = cases.find(({ expected }) => expected.length > 60);
if (!long || !engine) throw new Error('The golden cases have changed');

test('the streamed text is the text of the answer, and it is the tokens decoded', async (t) => {
  for (const { tokens, features, expected, answer } of cases) {
    const events: EngineEvent[] = [];
    const { choices } = await generate(engine, { tokens, features, sampling: sampling() }, events);
    t.is(choices[0]?.text, prompts.tokenizer.decode(expected, { skipSpecialTokens: true }));
    t.is(choices[0]?.text.trim(), answer);
    t.is(streamed(events), choices[0]?.text ?? '');
  }
});

test('a stop string ends the answer and is never streamed, wherever tokens divide it', async (t) => {
  const whole = await generate(engine, { ...long, sampling: sampling() });
  const text = whole.choices[0]?.text ?? '';
  for (const [start, end] of [
    [10, 13],
    [20, 31],
    [3, 4],
    [40, 44],
  ] as const) {
    const stop = text.slice(start, end);
    const events: EngineEvent[] = [];
    const { choices } = await generate(
      engine,
      { ...long, sampling: sampling({ stop: ['\u0000', stop, 'never said'] }) },
      events,
    );
    t.is(choices[0]?.text, text.slice(0, text.indexOf(stop)));
    t.like(choices[0], { finishReason: 'stop', stoppedBy: stop });
    t.is(streamed(events), choices[0]?.text ?? '');
  }
});

test('a stop string that is only begun at the end is let out', async (t) => {
  const request = { ...long, sampling: sampling({ maxTokens: 12 }) };
  const { text = '' } = (await generate(engine, { ...request })).choices[0] ?? {};
  const stop = [`${text.slice(-3)} and then something else`];
  const { choices } = await generate(engine, {
    ...request,
    sampling: { ...request.sampling, stop },
  });
  t.is(choices[0]?.text, text);
  t.is(choices[0]?.finishReason, 'length');
});

test('what a parser holds back until the end is streamed, though no text comes with it', async (t) => {
  const events: EngineEvent[] = [];
  const last: OutputDelta = { type: 'content', text: '<' };
  const parser = () => ({ isReasoning: false, push: () => [], flush: () => [last] });
  const { choices } = await generate(engine, { ...long, sampling: sampling(), parser }, events);
  t.is(choices[0]?.finishReason, 'stop');
  const deltas = events.flatMap((event) => (event.type === 'tokens' ? (event.deltas ?? []) : []));
  t.deepEqual(deltas, [last]);
});

test('max_tokens ends an answer with "length"', async (t) => {
  const { choices, usage } = await generate(engine, {
    ...long,
    sampling: sampling({ maxTokens: 5 }),
  });
  t.deepEqual(choices[0]?.tokenIds, long.expected.slice(0, 5));
  t.is(choices[0]?.finishReason, 'length');
  t.like(usage, { promptTokens: long.tokens.length, completionTokens: 5 });
});

test('an answer ends where the cache ends', async (t) => {
  // 60 tokens, and a twelfth on top for changes of the layout.
  const small = await startEngine(t, { kvCacheBytes: 65 * 3072 });
  const parameters = sampling({ ignoreEos: true, maxTokens: 500 });
  const { choices } = await generate(small, { ...long, sampling: parameters });
  t.is(choices[0]?.finishReason, 'length');
  t.is(long.tokens.length + (choices[0]?.tokenIds.length ?? 0), 60);
});

test('ignore_eos goes past the end of the text', async (t) => {
  const parameters = sampling({ ignoreEos: true, maxTokens: 100 });
  const { choices } = await generate(engine, { ...long, sampling: parameters });
  t.is(choices[0]?.tokenIds.length, 100);
  t.deepEqual(choices[0]?.tokenIds.slice(0, long.expected.length), long.expected);
});

test('the same seed gives the same tokens alone and in company, and another seed gives others', async (t) => {
  const parameters = sampling({
    temperature: 3,
    topP: 0.9,
    topK: 50,
    seed: 12,
    maxTokens: 40,
    ignoreEos: true,
  });
  const request = { tokens: long.tokens, features: long.features, sampling: parameters };
  const alone = await generate(engine, { ...request });
  const crowd = cases.slice(0, 7).map(({ tokens, features }) =>
    generate(engine, {
      tokens,
      features,
      sampling: sampling({ temperature: 2, maxTokens: 60, ignoreEos: true }),
    }),
  );
  const inCompany = await generate(engine, { ...request });
  await Promise.all(crowd);
  t.deepEqual(inCompany.choices, alone.choices);
  const other = await generate(engine, { ...request, sampling: { ...parameters, seed: 13 } });
  t.notDeepEqual(other.choices[0]?.tokenIds, alone.choices[0]?.tokenIds);
});

test('answers of one request differ when they are sampled', async (t) => {
  const parameters = sampling({ temperature: 3, n: 3, maxTokens: 20, ignoreEos: true });
  const { choices } = await generate(engine, { ...long, sampling: parameters });
  t.is(new Set(choices.map(({ text }) => text)).size, 3);
});

test('log probabilities name the chosen token and the likeliest, which greedy decoding makes one', async (t) => {
  const events: EngineEvent[] = [];
  const parameters = sampling({ topLogprobs: 3, maxTokens: 8 });
  const { choices } = await generate(engine, { ...long, sampling: parameters }, events);
  const logprobs = choices[0]?.logprobs ?? [];
  t.deepEqual(
    logprobs.map(({ id }) => id),
    choices[0]?.tokenIds,
  );
  t.is(logprobs.map(({ token }) => token).join(''), choices[0]?.text ?? '');
  for (const { id, logprob, top } of logprobs) {
    t.is(top.length, 3);
    t.like(top[0], { id, logprob });
    t.true(logprob <= 0 && (top[1]?.logprob ?? 0) <= logprob);
  }
  t.deepEqual(
    events.flatMap((event) => (event.type === 'tokens' ? (event.logprobs ?? []) : [])),
    logprobs,
  );
});

test('a character that several tokens make is streamed whole', async (t) => {
  // Bytes of one character each, as a byte-level vocabulary spells what it has no token for.
  const spelled = '𝄞 ż 漢字 🙂';
  const resume = [prompts.tokenizer.encode(spelled)];
  t.true((resume[0]?.length ?? 0) > Array.from(spelled).length);
  const { choices } = await generate(engine, {
    ...long,
    sampling: sampling({ maxTokens: (resume[0]?.length ?? 0) + 1 }),
    resume,
  });
  t.true(choices[0]?.text.startsWith(spelled));
});

function streamed(events: readonly EngineEvent[]): string {
  return events.map((event) => (event.type === 'tokens' ? event.text : '')).join('');
}

test('a stop token ends the answer and is no part of it, unless min_tokens are not reached', async (t) => {
  const at = 6;
  const stopTokenIds = [long.expected[at] as number];
  const first = long.expected.indexOf(stopTokenIds[0] as number);
  const stopped = await generate(engine, { ...long, sampling: sampling({ stopTokenIds }) });
  t.deepEqual(stopped.choices[0]?.tokenIds, long.expected.slice(0, first));
  t.like(stopped.choices[0], { finishReason: 'stop', stoppedBy: stopTokenIds[0] });
  const held = sampling({ stopTokenIds, minTokens: first + 3, maxTokens: first + 3 });
  const longer = await generate(engine, { ...long, sampling: held });
  t.is(longer.choices[0]?.tokenIds.length, first + 3);
  t.false(longer.choices[0]?.tokenIds.includes(stopTokenIds[0] as number));
});

test('a stop string does not end an answer before min_tokens', async (t) => {
  const whole = await generate(engine, { ...long, sampling: sampling() });
  const stop = [(whole.choices[0]?.text ?? '').slice(2, 5)];
  const { choices } = await generate(engine, {
    ...long,
    sampling: sampling({ stop, minTokens: 20 }),
  });
  t.true((choices[0]?.tokenIds.length ?? 0) >= 20);
  t.true(choices[0]?.text.includes(stop[0] as string));
});
