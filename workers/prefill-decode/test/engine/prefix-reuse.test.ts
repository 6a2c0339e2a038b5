import test from 'ava';
import { LocalConnector } from '../../src/engine/index.ts';
import { generate, sampling, startEngine } from '../helpers/engine.ts';
import { ask, readGolden } from '../helpers/golden.ts';

const { cases, prompts, embeddings } = await readGolden();
const [, first] = cases;
const BLOCK = 16;
if (!first) throw new Error('The golden cases have changed');

test('a second turn about an image computes only what is new, and needs the image no more', async (t) => {
  const connector = new LocalConnector(embeddings);
  const engine = await startEngine(t, { connector: { scheduler: connector, worker: connector } });
  const alone = await startEngine(t, { embeddings });
  const turns = [{ ...first, answer: first.answer }];
  const second = ask(prompts, { question: 'What colour is it?', images: [] }, turns);
  const expected = await generate(alone, { id: 'second', ...second, sampling: sampling() });

  await generate(engine, { id: 'first', ...first, sampling: sampling() });
  t.deepEqual(engine.residentHashes(), [first.features[0]?.mmHash]);
  const finished = await generate(engine, { id: 'second', ...second, sampling: sampling() });
  t.deepEqual(finished.choices, expected.choices);
  const shared = commonPrefix(first.tokens, second.tokens);
  // Only whole blocks are cached: the tokens after the first turn's last block are recomputed.
  const cached = Math.floor((first.tokens.length + first.expected.length) / BLOCK) * BLOCK;
  t.is(finished.usage.cachedTokens, Math.min(shared, cached));
  t.like(finished.images, [{ mmHash: first.features[0]?.mmHash, source: 'kv_cache' }]);
  t.is(engine.stats().prefixHitTokens, finished.usage.cachedTokens);
});

test('an image that a cached prefix covers is neither asked for nor loaded', async (t) => {
  const connector = new LocalConnector();
  const engine = await startEngine(t, {
    connector: { scheduler: connector, worker: connector },
    encoderCacheBytes: 4 * 16 * 192 * 4,
  });
  const [image] = first.features;
  const embedding = embeddings.get(image?.mmHash ?? '');
  if (!image || !embedding) throw new Error('The golden features have changed');
  connector.put(image.mmHash, embedding);
  await generate(engine, { id: 'a', ...first, sampling: sampling() });

  connector.take(image.mmHash);
  // Other images push the embedding out of the encoder cache.
  for (const other of cases.filter((each) => each.features.length === 1).slice(2, 8)) {
    const [feature] = other.features;
    const values = embeddings.get(feature?.mmHash ?? '');
    if (feature && values) connector.put(feature.mmHash, values);
    await generate(engine, {
      id: other.name,
      tokens: other.tokens,
      features: other.features,
      sampling: sampling(),
    });
  }
  const another = ask(prompts, { question: 'What colour is it?', images: first.images });
  const after = await generate(engine, { id: 'b', ...another, sampling: sampling() });
  t.is(after.usage.cachedTokens, commonPrefix(first.tokens, another.tokens));
  t.like(after.images, [{ source: 'kv_cache' }]);
  t.false(connector.asked.has(image.mmHash));
});

test('equal tokens over another image are shared only up to the image', async (t) => {
  const engine = await startEngine(t, { embeddings });
  const [one, other] = cases.filter(
    ({ features, tokens }) => features.length === 1 && tokens.length > 35,
  );
  if (!one || !other) throw new Error('The golden cases have changed');
  await generate(engine, { id: 'one', ...one, sampling: sampling() });
  const moved = one.features.map((feature) => ({
    ...feature,
    mmHash: other.features[0]?.mmHash ?? '',
  }));
  const finished = await generate(engine, {
    id: 'moved',
    tokens: one.tokens,
    features: moved,
    sampling: sampling(),
  });
  t.is(finished.usage.cachedTokens, one.tokens.indexOf(4));
});

test('answers to one prompt share its prefill', async (t) => {
  const engine = await startEngine(t, { embeddings });
  const request = { ...first, sampling: sampling({ n: 4, temperature: 0 }) };
  const { choices } = await generate(engine, { id: 'n', ...request });
  t.is(choices.length, 4);
  for (const { tokenIds } of choices) t.deepEqual(tokenIds, first.expected);
  t.true(engine.stats().steps < 12);
});

test('a cache without room for cached prefixes still answers', async (t) => {
  const kvCacheBytes = 128 * 3072;
  const engine = await startEngine(t, { embeddings, kvCacheBytes });
  const { choices } = await generate(engine, { id: 'n', ...first, sampling: sampling({ n: 2 }) });
  for (const { tokenIds } of choices) t.deepEqual(tokenIds, first.expected);
  t.is(engine.stats().slots, 1);
  t.true(engine.stats().kvBytes <= kvCacheBytes);
});

function commonPrefix(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((token, index) => token !== b[index]);
  return at < 0 ? a.length : at;
}

const silent = (): void => undefined;

interface StepLine {
  readonly decodeRows: number;
  readonly chunks: readonly number[];
  readonly runsMs: readonly number[];
}

test('a prompt that is cached but for its last token goes with the decodes, and is counted as one', async (t) => {
  // Whole blocks are cached: all but the last token.
  const prompt = { ...first, tokens: first.tokens.slice(0, 2 * BLOCK + 1) };
  const lines: StepLine[] = [];
  const debug = (line: object): void => void lines.push(line as StepLine);
  const logger = { debug, info: silent, warn: silent, error: silent };
  const engine = await startEngine(t, { embeddings, logger: logger as never });
  await generate(engine, { id: 'first', ...prompt, sampling: sampling() });
  const stream = generate(engine, {
    id: 'stream',
    ...prompt,
    sampling: sampling({ ignoreEos: true, maxTokens: 60 }),
  });
  for (const id of ['again', 'and again']) {
    const finished = await generate(engine, { id, ...prompt, sampling: sampling() });
    t.is(finished.usage.cachedTokens, 2 * BLOCK);
  }
  await stream;
  for (const { decodeRows, chunks, runsMs } of lines)
    t.is(runsMs.length, (decodeRows > 0 ? 1 : 0) + chunks.length);
  t.true(lines.length > 50);
});
