import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { LocalConnector, type EngineEvent } from '../../src/engine/index.ts';
import { generate, sampling, startEngine, until } from '../helpers/engine.ts';
import { readGolden } from '../helpers/golden.ts';

const { cases, embeddings } = await readGolden();
const [threeImages, oneImage] = cases;
const text = cases.find(({ features }) => features.length === 0);
if (!threeImages || !oneImage || !text) throw new Error('The golden cases have changed');

const both = (connector: LocalConnector) => ({ scheduler: connector, worker: connector });

test('text before an image is prefilled while the image is still being encoded', async (t) => {
  const connector = new LocalConnector();
  const engine = await startEngine(t, { connector: both(connector) });
  const events: EngineEvent[] = [];
  const end = generate(engine, { id: 'a', ...oneImage, sampling: sampling() }, events);
  await until(() => engine.stats().waitingForEmbeddings === 1);
  await sleep(50);
  const [image] = oneImage.features;
  t.like(events, [
    { type: 'stage', stage: 'prefill' },
    { type: 'stage', stage: 'waiting_for_embeddings', item: 0 },
  ]);
  // Everything up to the image's first token: the opening, and the image's two leading marks.
  t.deepEqual(waits(events), [{ computedTokens: oneImage.tokens.indexOf(4) }]);
  t.deepEqual([...connector.asked], [image?.mmHash]);

  put(connector, image?.mmHash);
  const finished = await end;
  t.deepEqual(finished.choices[0]?.tokenIds, oneImage.expected);
  t.deepEqual(stages(events), ['prefill', 'waiting_for_embeddings', 'loaded', 'first_token']);
  t.true((finished.timings.waitForEmbeddingsMs ?? 0) > 45);
  t.like(finished.images, [{ mmHash: image?.mmHash, source: 'loaded', tier: 'process' }]);
});

test('prefill continues up to the first image that is missing', async (t) => {
  const connector = new LocalConnector();
  const engine = await startEngine(t, { connector: both(connector) });
  const events: EngineEvent[] = [];
  const end = generate(engine, { id: 'a', ...threeImages, sampling: sampling() }, events);
  const [one, two, three] = threeImages.features;
  await until(() => waits(events).length === 1);
  put(connector, three?.mmHash);
  put(connector, one?.mmHash);
  await until(() => waits(events).length === 2);
  put(connector, two?.mmHash);
  t.deepEqual((await end).choices[0]?.tokenIds, threeImages.expected);
  const firstOf = (index: number): number =>
    threeImages.tokens.indexOf(4, threeImages.features[index]?.offset);
  t.deepEqual(waits(events), [{ computedTokens: firstOf(0) }, { computedTokens: firstOf(1) }]);
});

test('a text request is answered while every slot belongs to requests that wait for images', async (t) => {
  const connector = new LocalConnector();
  const engine = await startEngine(t, { connector: both(connector), maxBatch: 2 });
  const waiting = cases.filter(({ features }) => features.length > 0).slice(0, 6);
  const ends = waiting.map(({ name, tokens, features }) =>
    generate(engine, { id: name, tokens, features, sampling: sampling() }),
  );
  await until(() => engine.stats().waitingForEmbeddings === 6);
  const { choices } = await generate(engine, { id: 'text', ...text, sampling: sampling() });
  t.deepEqual(choices[0]?.tokenIds, text.expected);

  for (const [mmHash, embedding] of embeddings) connector.put(mmHash, embedding);
  const finished = await Promise.all(ends);
  t.deepEqual(
    finished.map((end) => end.choices[0]?.tokenIds),
    waiting.map(({ expected }) => expected),
  );
});

test('an engine that only waits for images is at rest', async (t) => {
  const connector = new LocalConnector();
  const engine = await startEngine(t, { connector: both(connector), maxBatch: 2 });
  for (const { name, tokens, features } of cases.slice(0, 8)) {
    void generate(engine, { id: name, tokens, features, sampling: sampling() });
  }
  await until(() => engine.stats().waitingForEmbeddings === 8);
  const { steps } = engine.stats();
  await sleep(100);
  t.is(engine.stats().steps, steps);
});

function put(connector: LocalConnector, mmHash: string | undefined): void {
  const embedding = embeddings.get(mmHash ?? '');
  if (!mmHash || !embedding) throw new Error(`No golden embedding ${mmHash}`);
  connector.put(mmHash, embedding);
}

type StageEvent = Extract<EngineEvent, { type: 'stage' }>;
const isStage = (event: EngineEvent): event is StageEvent => event.type === 'stage';

function stages(events: readonly EngineEvent[]): string[] {
  return events.filter(isStage).map(({ stage }) => stage);
}

/** What was said each time an image began to hold the request up. */
function waits(events: readonly EngineEvent[]): unknown[] {
  return events
    .filter(isStage)
    .filter(({ stage }) => stage === 'waiting_for_embeddings')
    .map(({ detail }) => detail);
}
