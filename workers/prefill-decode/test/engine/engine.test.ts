import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { LocalConnector, type EngineEvent } from '../../src/engine/index.ts';
import { generate, sampling, startEngine } from '../helpers/engine.ts';
import { readGolden } from '../helpers/golden.ts';

const { cases, embeddings } = await readGolden();
const [first, second] = cases;
const long = cases.find(({ expected }) => expected.length > 60);
if (!first || !second || !long) throw new Error('The golden cases have changed');

test('a prompt that can never fit is refused with the numbers', async (t) => {
  const engine = await startEngine(t, { embeddings, kvCacheBytes: 70 * 3072 });
  const error = t.throws(() => engine.add({ id: 'a', ...first, sampling: sampling() }));
  t.like(error, {
    name: 'EngineError',
    code: 'prompt_too_long',
    facts: {
      tokens: 76,
      longest: 64,
      kvCacheTokens: 64,
      contextLength: 2048,
      kvCacheBytes: 70 * 3072,
    },
  });
  t.regex(error?.message ?? '', /76 tokens .* 2048 tokens, .* 215040 bytes holds 64/);
});

test('a feature whose rows are not its image tokens is refused', async (t) => {
  const engine = await startEngine(t, { embeddings });
  const features = second.features.map((feature) => ({ ...feature, rows: 15 }));
  const error = t.throws(() => engine.add({ id: 'a', ...second, features, sampling: sampling() }));
  t.like(error, { code: 'invalid_request', facts: { image: 0, rows: 15, positions: 16 } });
});

test('a constrained answer that must not end is refused', async (t) => {
  const engine = await startEngine(t, { embeddings });
  const constraint = { type: 'json', schema: {}, ordered: false } as const;
  const request = { id: 'a', ...second, sampling: sampling({ constraint, ignoreEos: true }) };
  t.like(
    t.throws(() => engine.add(request)),
    { code: 'invalid_request' },
  );
});

test('an embedding of another size than the prompt has room for fails its request alone', async (t) => {
  const [image] = second.features;
  const right = embeddings.get(image?.mmHash ?? '');
  if (!image || !right) throw new Error('The golden features have changed');
  const wrong = { ...right, rows: 15, data: right.data.subarray(0, 15 * 192 * 4) };
  const engine = await startEngine(t, {
    embeddings: new Map([...embeddings, [image.mmHash, wrong]]),
  });
  const failed = generate(engine, { id: 'a', ...second, sampling: sampling() });
  const other = generate(engine, { id: 'b', ...first, sampling: sampling() });
  await t.throwsAsync(failed, { message: /^embedding_misfit: .*\[16, 192\], found \[15, 192\]/ });
  t.deepEqual((await other).choices[0]?.tokenIds, first.expected);
});

test('a step that fails ends its requests, and the engine continues', async (t) => {
  const [image] = second.features;
  const right = embeddings.get(image?.mmHash ?? '');
  if (!image || !right) throw new Error('The golden features have changed');
  const cut = { ...right, data: right.data.subarray(0, 100) };
  const engine = await startEngine(t, {
    embeddings: new Map([...embeddings, [image.mmHash, cut]]),
  });
  const failed = generate(engine, { ...second, sampling: sampling() });
  await t.throwsAsync(failed, { message: /^step_failed: / });
  const { choices } = await generate(engine, { ...first, sampling: sampling() });
  t.deepEqual(choices[0]?.tokenIds, first.expected);
});

test('more requests than may be held, and a second of the same id, are refused', async (t) => {
  const connector = new LocalConnector();
  const engine = await startEngine(t, {
    connector: { scheduler: connector, worker: connector },
    maxHeld: 2,
  });
  engine.add({ id: 'a', ...second, sampling: sampling() });
  t.like(
    t.throws(() => engine.add({ id: 'a', ...second, sampling: sampling() })),
    { code: 'invalid_request' },
  );
  engine.add({ id: 'b', ...second, sampling: sampling() });
  t.like(
    t.throws(() => engine.add({ id: 'c', ...second, sampling: sampling() })),
    { code: 'engine_full' },
  );
  engine.abort('a');
  t.notThrows(() => engine.add({ id: 'c', ...second, sampling: sampling() }));
});

test('an aborted request says nothing more and frees its slot', async (t) => {
  const engine = await startEngine(t, { embeddings });
  const events: EngineEvent[] = [];
  const started = Promise.withResolvers<void>();
  engine.on((event) => {
    events.push(event);
    if (event.type === 'tokens') started.resolve();
  });
  engine.add({ id: 'a', ...long, sampling: sampling({ ignoreEos: true, maxTokens: 1000 }) });
  await started.promise;
  engine.abort('a');
  const said = events.length;
  await generate(engine, { id: 'b', ...second, sampling: sampling() });
  t.is(events.slice(said).filter(({ id }) => id === 'a').length, 0);
  t.like(engine.stats(), { running: 0, waiting: 0, slotsUsed: 0 });
});

test('sequences that outgrow the cache together are put back and end as if they had been alone', async (t) => {
  const parameters = sampling({ maxTokens: 150, ignoreEos: true });
  const roomy = await startEngine(t, { embeddings });
  const tight = await startEngine(t, { embeddings, kvCacheBytes: 520 * 3072 });
  const requests = [long, first, second].map(({ name, tokens, features }) => ({
    id: name,
    tokens,
    features,
    sampling: parameters,
  }));
  const alone = [];
  for (const request of requests) alone.push((await generate(roomy, request)).choices);
  const together = await Promise.all(requests.map((request) => generate(tight, request)));
  t.deepEqual(
    together.map(({ choices }) => choices),
    alone,
  );
  t.true(tight.stats().preemptions > 0);
  t.true(tight.stats().kvBytes <= 520 * 3072);
});

test('slots become shorter when long sequences have gone', async (t) => {
  const engine = await startEngine(t, { embeddings });
  const parameters = sampling({ maxTokens: 300, ignoreEos: true });
  await generate(engine, { id: 'long', ...long, sampling: parameters });
  t.is(engine.stats().bucket, 384);
  await generate(engine, { id: 'short', ...long, sampling: sampling({ maxTokens: 60 }) });
  t.is(engine.stats().bucket, 128);
});

test('lower priority numbers run first', async (t) => {
  const engine = await startEngine(t, { embeddings, maxBatch: 1 });
  const order: string[] = [];
  engine.on((event) => {
    if (event.type === 'finished') order.push(event.id);
  });
  const request = { tokens: long.tokens, features: [], sampling: sampling({ maxTokens: 3 }) };
  await Promise.all(
    (
      [
        ['late', 5],
        ['normal', 0],
        ['soon', -5],
      ] as const
    ).map(([id, priority]) => generate(engine, { id, priority, ...request })),
  );
  t.deepEqual(order, ['soon', 'normal', 'late']);
});

test('a long prompt is computed in chunks, so that others get their tokens meanwhile', async (t) => {
  const engine = await startEngine(t, { embeddings, tokenBudgetPerStep: 40, maxBatch: 4 });
  const tokens = Array.from({ length: 1200 }, (_, at) => long.tokens[at % long.tokens.length] ?? 0);
  let said = 0;
  engine.on((event) => {
    if (event.type === 'tokens' && event.id === 'short') said++;
  });
  const short = generate(engine, {
    id: 'short',
    ...long,
    sampling: sampling({ ignoreEos: true, maxTokens: 60 }),
  });
  const atFirst: number[] = [];
  engine.on((event) => {
    if (event.id === 'long' && event.type === 'stage') atFirst.push(said);
  });
  await generate(engine, {
    id: 'long',
    tokens,
    features: [],
    sampling: sampling({ maxTokens: 1 }),
  });
  await short;
  const [admitted = 0, firstToken = 0] = atFirst;
  t.true(firstToken - admitted >= 25, `${firstToken - admitted} tokens came during the prefill`);
});

test('a listener that throws disturbs nobody', async (t) => {
  const engine = await startEngine(t, { embeddings });
  engine.on(() => {
    throw new Error('from a listener');
  });
  const { choices } = await generate(engine, { id: 'a', ...second, sampling: sampling() });
  t.deepEqual(choices[0]?.tokenIds, second.expected);
});

test('closing in the middle of a step waits for its end', async (t) => {
  const engine = await startEngine(t, { embeddings });
  engine.add({ id: 'a', ...long, sampling: sampling({ ignoreEos: true, maxTokens: 1000 }) });
  await sleep(20);
  await t.notThrowsAsync(engine.close());
  t.is(engine.stats().running, 0);
  const late = { id: 'b', ...second, sampling: sampling() };
  t.like(
    t.throws(() => engine.add(late)),
    { code: 'engine_closed' },
  );
});

test('an engine over a model that cannot be loaded is not created', async (t) => {
  const error = await t.throwsAsync(startEngine(t, { decoder: 'absent.onnx' }));
  t.regex(error?.message ?? '', /absent\.onnx/);
});
