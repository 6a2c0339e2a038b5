import test from 'ava';
import {
  EmbeddingStore,
  FolderStore,
  MemoryStore,
  createStoreECConnector,
  withConnectorStep,
  type ECRole,
  type EncoderCache,
  type ObjectStore,
} from '../../src/index.ts';
import { FINGERPRINT, embeddingOf, hashOf, specOf } from '../helpers/embeddings.ts';
import { until } from '../helpers/until.ts';

const CAT = hashOf('cat');
const NO_LOADS = { loads: [] };

function setUp(ecRole: ECRole, store: ObjectStore = new MemoryStore(), maxConcurrentLoads = 8) {
  const embeddings = new EmbeddingStore({ store });
  const { worker, scheduler } = createStoreECConnector(
    { ecConnector: 'StoreECConnector', ecRole, ecConnectorExtraConfig: { maxConcurrentLoads } },
    { embeddings, fingerprint: FINGERPRINT, width: 8 },
  );
  const cache: EncoderCache = new Map();
  worker.registerCaches(cache);
  let progress = 0;
  scheduler.onProgress(() => (progress += 1));
  return { embeddings, store, worker, cache, progress: () => progress };
}

test('a producer saves in the background and reports what has become durable', async (t) => {
  const { worker, cache, embeddings, progress } = setUp('ec_producer');
  cache.set(CAT, embeddingOf('cat'));
  const { output: during } = await withConnectorStep(worker, NO_LOADS, () => {
    worker.saveCaches(CAT);
    worker.saveCaches(CAT);
  });
  t.is(during.finishedSending.size, 0);
  await worker.waitForSave();
  t.truthy(await embeddings.load(specOf('cat')));
  await until(() => progress() > 0);
  const { output } = await withConnectorStep(worker, NO_LOADS, () => {});
  t.deepEqual([...output.finishedSending], [CAT]);
  t.is(output.saves?.length, 1);
  t.true(output.saves![0]!.bytes > 0);
  t.is(worker.getFinished().finishedSending.size, 0, 'told once');
});

test('a producer saves again what the store has lost', async (t) => {
  const { worker, cache, embeddings } = setUp('ec_producer');
  cache.set(CAT, embeddingOf('cat'));
  worker.saveCaches(CAT);
  await worker.waitForSave();
  await embeddings.delete(CAT);
  worker.saveCaches(CAT);
  await worker.waitForSave();
  t.truthy(await embeddings.load(specOf('cat')));
});

test('a failed save is reported by waiting and by the step', async (t) => {
  const { worker, cache } = setUp('ec_producer', new FolderStore({ root: '/dev/null/nowhere' }));
  cache.set(CAT, embeddingOf('cat'));
  worker.saveCaches(CAT);
  const error = await t.throwsAsync(worker.waitForSave(), { code: 'store_unavailable' });
  await t.notThrowsAsync(worker.waitForSave(), 'told once');
  const output = worker.getFinished();
  t.is(output.failedSending?.get(CAT), error);
  t.is(output.finishedSending.size, 0);
});

test('a consumer does not save, and a producer does not load', async (t) => {
  const consumer = setUp('ec_consumer');
  consumer.worker.saveCaches(CAT);
  await consumer.worker.waitForSave();
  t.false(await consumer.embeddings.has({ mmHash: CAT }));

  const producer = setUp('ec_producer');
  await producer.embeddings.save(CAT, FINGERPRINT, embeddingOf('cat'));
  await withConnectorStep(producer.worker, { loads: [specOf('cat')] }, () => {});
  await producer.worker.shutdown();
  t.is(producer.cache.size, 0);
});

test('a consumer loads behind the steps and reports where from', async (t) => {
  const { worker, cache, embeddings, progress } = setUp('ec_consumer');
  await embeddings.save(CAT, FINGERPRINT, embeddingOf('cat'));
  const { output: during } = await withConnectorStep(
    worker,
    { loads: [specOf('cat')] },
    () => cache.size,
  );
  t.is(during.finishedReceiving.size, 0);
  await until(() => progress() > 0);
  const output = worker.getFinished();
  t.deepEqual([...output.finishedReceiving], [CAT]);
  t.is(output.reports[0]?.tier, 'store');
  t.true(cache.get(CAT)!.data.buffer instanceof SharedArrayBuffer);
});

test('an item already in the encoder cache is reported at once', async (t) => {
  const { worker, cache } = setUp('ec_consumer');
  cache.set(CAT, embeddingOf('cat'));
  const { output } = await withConnectorStep(worker, { loads: [specOf('cat')] }, () => {});
  t.deepEqual([...output.finishedReceiving], [CAT]);
  t.is(output.reports[0]?.tier, 'encoder_cache');
});

test('a load that finds nothing usable, or no store, is reported as failed', async (t) => {
  for (const store of [new MemoryStore(), new FolderStore({ root: '/dev/null/nowhere' })]) {
    const { worker, progress, cache } = setUp('ec_consumer', store);
    await withConnectorStep(worker, { loads: [specOf('cat')] }, () => {});
    await until(() => progress() > 0);
    t.deepEqual([...worker.getFinished().failedReceiving], [CAT]);
    t.is(cache.size, 0);
  }
});

test('loads are bounded, and one item is loaded once at a time', async (t) => {
  const store = new MemoryStore();
  const get = store.get.bind(store);
  let running = 0;
  let most = 0;
  let reads = 0;
  store.get = async (key, options) => {
    reads += 1;
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running -= 1;
    return get(key, options);
  };
  const { worker, cache, embeddings } = setUp('ec_consumer', store, 3);
  const names = Array.from({ length: 12 }, (_, index) => `image ${index}`);
  for (const name of names) await embeddings.save(hashOf(name), FINGERPRINT, embeddingOf(name));
  const loads = names.map((name) => specOf(name));
  await withConnectorStep(worker, { loads }, () => {});
  await withConnectorStep(worker, { loads }, () => {});
  await until(() => cache.size === names.length);
  t.is(most, 3);
  t.is(reads, names.length);
});

test('a step that throws clears its metadata and keeps what has finished for the next', async (t) => {
  const { worker, cache } = setUp('ec_consumer');
  cache.set(CAT, embeddingOf('cat'));
  const step = withConnectorStep(worker, { loads: [specOf('cat')] }, () => {
    throw new Error('the model failed');
  });
  await t.throwsAsync(step, { message: 'the model failed' });
  const { output } = await withConnectorStep(worker, NO_LOADS, () => {});
  t.deepEqual([...output.finishedReceiving], [CAT]);
});

test('misuse fails at once', (t) => {
  const { worker } = setUp('ec_both');
  t.throws(() => worker.registerCaches(new Map()));
  t.throws(() => worker.startLoadCaches());
  t.throws(() => worker.saveCaches(CAT));
  worker.bindConnectorMetadata(NO_LOADS);
  t.throws(() => worker.bindConnectorMetadata(NO_LOADS));
});
