import { testRedis } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import {
  CompletionPublisher,
  CompletionReader,
  EmbeddingStore,
  EmbeddingUsage,
  EncodeRequester,
  MemoryStore,
  RedisSingleFlight,
  StoreUnavailableError,
  createStoreECConnector,
  embeddingKey,
  withConnectorStep,
  type ECRequest,
  type ECRole,
  type EncoderCache,
} from '../../src/index.ts';
import { FINGERPRINT, embeddingOf, hashOf } from '../helpers/embeddings.ts';
import { encodeJobOf, storedEvent } from '../helpers/encode-jobs.ts';
import { startFakeEncoder } from '../helpers/fake-encoder.ts';
import { until } from '../helpers/until.ts';

const CAT = hashOf('cat');
const DOG = hashOf('dog');
const BAD_IMAGE = { code: 'bad_image', message: 'Not an image', retryable: false };

interface Settings {
  readonly ecRole?: ECRole;
  readonly lookAgainMs?: number;
  readonly releasesWaiters?: boolean;
}

async function setUp(
  t: ExecutionContext,
  { ecRole = 'ec_consumer', lookAgainMs = 60_000, releasesWaiters = true }: Settings = {},
) {
  const { redis, prefix } = testRedis(t);
  const store = new MemoryStore();
  const embeddings = new EmbeddingStore({ store });
  const usage = new EmbeddingUsage({ redis, prefix });
  const requester = new EncodeRequester({ redis, prefix, embeddings, usage });
  const events = new CompletionReader({ redis, prefix });
  await events.start();
  const connector = createStoreECConnector(
    {
      ecConnector: 'StoreECConnector',
      ecRole,
      ecConnectorExtraConfig: { lookAgainMs, maxFailedLoads: 3 },
    },
    { embeddings, fingerprint: FINGERPRINT, width: 8, requester, releasesWaiters, events },
  );
  const cache: EncoderCache = new Map();
  connector.worker.registerCaches(cache);
  t.teardown(async () => {
    await connector.shutdown();
    await events.stop();
    await requester.close();
  });
  const { scheduler, worker } = connector;
  /** What an engine does in a step. */
  const step = async () => {
    const { output } = await withConnectorStep(worker, scheduler.buildConnectorMeta(), () => {});
    scheduler.updateConnectorOutput(output);
    return output;
  };
  const load = async (request: ECRequest, index: number) => {
    scheduler.updateStateAfterAlloc(request, index);
    let failed = false;
    await until(async () => {
      const output = await step();
      const { mmHash } = request.features[index]!;
      failed ||= output.failedReceiving.has(mmHash);
      return failed || output.finishedReceiving.has(mmHash);
    });
    return !failed;
  };
  return {
    connector,
    redis,
    prefix,
    store,
    embeddings,
    requester,
    usage,
    scheduler,
    worker,
    cache,
    step,
    load,
  };
}

const requestFor = (id: string, names: readonly string[], generation?: number): ECRequest => ({
  id,
  features: names.map((name, index) => ({
    mmHash: hashOf(name),
    offset: 10 * index,
    length: 10,
    rows: 4,
    encode: encodeJobOf(name),
    ...(generation === undefined ? {} : { generation }),
  })),
});

test('what is stored becomes available by a look, without an encode', async (t) => {
  const { scheduler, embeddings, load, cache, redis, prefix } = await setUp(t);
  await embeddings.save(CAT, FINGERPRINT, embeddingOf('cat'));
  const request = requestFor('r', ['cat']);
  t.false(scheduler.hasCacheItem(CAT));
  t.false(scheduler.ensureCacheAvailable(request, 0));
  await until(() => scheduler.ensureCacheAvailable(request, 0));
  t.true(scheduler.hasCacheItem(CAT));
  t.true(await load(request, 0));
  t.truthy(cache.get(CAT));
  t.deepEqual(await redis.keys(`${prefix}:encode*`), []);
});

test('what is missing is asked for and becomes available by its event', async (t) => {
  const { scheduler, ...parts } = await setUp(t);
  const encoded = await startFakeEncoder(t, parts);
  const request = requestFor('r', ['cat', 'dog']);
  let progress = 0;
  scheduler.onProgress(() => (progress += 1));
  await until(() => scheduler.ensureCacheAvailable(request, 0));
  t.deepEqual(encoded.toSorted(), [CAT, DOG].toSorted());
  t.true(progress >= 2);
});

test('items behind the computed tokens are not wanted', async (t) => {
  const { scheduler, redis, prefix } = await setUp(t);
  t.true(scheduler.ensureCacheAvailable(requestFor('r', ['cat', 'dog']), 20));
  t.false(scheduler.ensureCacheAvailable(requestFor('r', ['cat', 'dog']), 10));
  await until(async () => (await redis.keys(`${prefix}:encode*:encode-${DOG}`)).length > 0);
  t.deepEqual(await redis.keys(`${prefix}:encode*:encode-${CAT}`), []);
});

test('a lost event delays and does not hang', async (t) => {
  const { scheduler, ...parts } = await setUp(t, { lookAgainMs: 50 });
  await startFakeEncoder(t, { ...parts, announce: () => false });
  const request = requestFor('r', ['cat']);
  await until(() => scheduler.ensureCacheAvailable(request, 0));
  t.true(scheduler.hasCacheItem(CAT));
});

test('a lost queue entry is put back', async (t) => {
  const { scheduler, redis, prefix, ...parts } = await setUp(t, { lookAgainMs: 50 });
  const request = requestFor('r', ['cat']);
  scheduler.ensureCacheAvailable(request, 0);
  const queued = async () =>
    (await redis.keys(`${prefix}:encode*`)).filter((key) => !key.endsWith(':meta'));
  await until(async () => (await queued()).length > 0);
  await redis.del(...(await queued()));
  const encoded = await startFakeEncoder(t, { redis, prefix, ...parts });
  await until(() => scheduler.ensureCacheAvailable(request, 0));
  t.deepEqual(encoded, [CAT]);
});

test('an item swept between look and load is encoded again', async (t) => {
  const { scheduler, embeddings, load, ...parts } = await setUp(t);
  await embeddings.save(CAT, FINGERPRINT, embeddingOf('cat'));
  const request = requestFor('r', ['cat']);
  await until(() => scheduler.ensureCacheAvailable(request, 0));
  await embeddings.delete(CAT);
  t.false(await load(request, 0));
  t.false(scheduler.hasCacheItem(CAT));
  const encoded = await startFakeEncoder(t, { ...parts, embeddings });
  await until(() => scheduler.hasCacheItem(CAT));
  t.true(await load(request, 0));
  t.deepEqual(encoded, [CAT]);
});

test('an item that is never usable fails its requests in the end', async (t) => {
  const { scheduler, store, load } = await setUp(t, { lookAgainMs: 20 });
  const request = requestFor('r', ['cat']);
  const spoil = () => store.put(embeddingKey('embeddings', CAT), Buffer.alloc(1000));
  for (let round = 0; round < 3; round += 1) {
    await spoil();
    await until(() => scheduler.ensureCacheAvailable(request, 0));
    t.false(await load(request, 0));
  }
  const unavailable = scheduler.takeUnavailableRequests();
  t.is(unavailable.get('r')?.error.code, 'embedding_unusable');
  t.true(unavailable.get('r')?.error.retryable);
});

test('a store that does not answer loads fails no request: they continue when it does', async (t) => {
  const { scheduler, store, embeddings, load } = await setUp(t, { lookAgainMs: 20 });
  await embeddings.save(CAT, FINGERPRINT, embeddingOf('cat'));
  const request = requestFor('r', ['cat']);
  const get = store.get.bind(store);
  store.get = async () => {
    throw new StoreUnavailableError('test', 'no answer');
  };
  for (let round = 0; round < 5; round += 1) {
    await until(() => scheduler.ensureCacheAvailable(request, 0));
    t.false(await load(request, 0));
    t.is(scheduler.takeUnavailableRequests().size, 0);
  }
  store.get = get;
  await until(() => scheduler.ensureCacheAvailable(request, 0));
  t.true(await load(request, 0));
});

test('a failed encode fails those who waited, with its reason, once', async (t) => {
  const { scheduler, ...parts } = await setUp(t);
  await startFakeEncoder(t, { ...parts, failure: () => BAD_IMAGE });
  const waiting = [requestFor('a', ['cat']), requestFor('b', ['cat'])];
  for (const request of waiting) scheduler.ensureCacheAvailable(request, 0);
  const failed = new Map<string, unknown>();
  await until(() => {
    for (const [id, reason] of scheduler.takeUnavailableRequests()) failed.set(id, reason);
    return failed.size === 2;
  });
  t.deepEqual(failed.get('a'), { mmHash: CAT, error: BAD_IMAGE });
  for (const request of waiting) scheduler.requestFinished(request);
  t.is(scheduler.takeUnavailableRequests().size, 0);
});

test('a failure whose event is lost is found by looking', async (t) => {
  const { scheduler, ...parts } = await setUp(t, { lookAgainMs: 50 });
  await startFakeEncoder(t, { ...parts, failure: () => BAD_IMAGE, announce: () => false });
  scheduler.ensureCacheAvailable(requestFor('a', ['cat']), 0);
  await until(() => scheduler.takeUnavailableRequests().has('a'));
  t.pass();
});

test('a request joins the flight that was joined for it, and learns its failure late', async (t) => {
  const { scheduler, requester, redis, prefix } = await setUp(t);
  const { generation } = await requester.request(encodeJobOf('cat'), 'a');
  await new RedisSingleFlight({ redis, prefix }).settle(CAT, { state: 'failed', error: BAD_IMAGE });
  scheduler.ensureCacheAvailable(requestFor('a', ['cat'], generation), 0);
  await until(() => scheduler.takeUnavailableRequests().has('a'));
  t.pass();
});

test('the end of the last request drops waiting work', async (t) => {
  const { scheduler, redis, prefix } = await setUp(t);
  const flight = new RedisSingleFlight({ redis, prefix });
  const queued = async () => (await redis.keys(`${prefix}:encode*:encode-${CAT}`)).length;
  const requests = [requestFor('a', ['cat']), requestFor('b', ['cat'])];
  for (const request of requests) scheduler.ensureCacheAvailable(request, 0);
  await until(async () => (await flight.waiters(CAT)).length === 2 && (await queued()) === 1);
  scheduler.requestFinished(requests[0]!);
  await until(async () => (await flight.waiters(CAT)).length === 1);
  t.is(await queued(), 1);
  scheduler.requestFinished(requests[1]!);
  await until(async () => (await queued()) === 0);
  t.deepEqual(await flight.waiters(CAT), []);
});

test('a request that others may continue keeps its place and its lease when it ends here', async (t) => {
  const settings = { releasesWaiters: false };
  const { connector, scheduler, requester, cache, redis, prefix } = await setUp(t, settings);
  const held = async () => [
    await new RedisSingleFlight({ redis, prefix }).waiters(CAT),
    await redis.zcard(`${prefix}:ec:{usage}:lease:${CAT}`),
  ];
  const { generation } = await requester.request(encodeJobOf('cat'), 'a');
  cache.set(CAT, embeddingOf('cat')); // so that nothing is looked up meanwhile
  const request = requestFor('a', ['cat'], generation);
  t.true(scheduler.ensureCacheAvailable(request, 0));
  scheduler.requestFinished(request);
  await connector.shutdown(); // waits for what it does in the background
  t.deepEqual(await held(), [['a'], 1]);
  await requester.release(CAT, 'a');
  t.deepEqual(await held(), [[], 0]);
});

test('what was found stored at acceptance is loaded unasked, and asked for when it is gone', async (t) => {
  const { scheduler, embeddings, load, redis, prefix } = await setUp(t);
  const flight = new RedisSingleFlight({ redis, prefix });
  await embeddings.save(CAT, FINGERPRINT, embeddingOf('cat'));
  const request = foundStored(requestFor('r', ['cat']));
  t.true(scheduler.ensureCacheAvailable(request, 0));
  t.true(await load(request, 0));
  const gone = foundStored(requestFor('s', ['dog']));
  t.true(scheduler.ensureCacheAvailable(gone, 0));
  t.false(await load(gone, 0));
  await until(async () => (await flight.waiters(DOG)).includes('s'));
  t.deepEqual(await flight.waiters(CAT), []);
});

const foundStored = ({ id, features }: ECRequest): ECRequest => ({
  id,
  features: features.map((feature) => ({ ...feature, stored: true })),
});

test('a request that ends while it is being joined leaves no waiter behind', async (t) => {
  const { scheduler, redis, prefix } = await setUp(t);
  const flight = new RedisSingleFlight({ redis, prefix });
  for (let round = 0; round < 20; round += 1) {
    const request = requestFor(`r${round}`, ['cat', 'dog']);
    scheduler.ensureCacheAvailable(request, 0);
    await new Promise((resolve) => setTimeout(resolve, round / 4));
    scheduler.requestFinished(request);
  }
  await until(
    async () => (await flight.waiters(CAT)).length + (await flight.waiters(DOG)).length === 0,
  );
  // Who leaves last takes the work off the queue after it has left.
  await until(async () => (await redis.keys(`${prefix}:encode*:encode-*`)).length === 0);
  t.pass();
});

test('loads are named once and in the step after they were noted', async (t) => {
  const { scheduler, embeddings } = await setUp(t);
  await embeddings.save(CAT, FINGERPRINT, embeddingOf('cat'));
  const requests = [requestFor('a', ['cat']), requestFor('b', ['cat'])];
  await until(() => requests.every((request) => scheduler.ensureCacheAvailable(request, 0)));
  for (const request of requests) scheduler.updateStateAfterAlloc(request, 0);
  t.deepEqual(scheduler.buildConnectorMeta().loads, [
    { mmHash: CAT, fingerprint: FINGERPRINT, width: 8, rows: 4 },
  ]);
  scheduler.updateStateAfterAlloc(requests[1]!, 0);
  t.deepEqual(scheduler.buildConnectorMeta().loads, [], 'it is on its way');
});

test('events of items that nobody wants change nothing', async (t) => {
  const { scheduler, redis, prefix } = await setUp(t);
  const publisher = new CompletionPublisher({ redis, prefix });
  await publisher.publish(storedEvent('cat'));
  t.false(scheduler.ensureCacheAvailable(requestFor('r', ['dog']), 0));
  await publisher.publish(storedEvent('dog'));
  await until(() => scheduler.hasCacheItem(DOG));
  t.false(scheduler.hasCacheItem(CAT));
});

test('a producer looks but requests no encode, and reports a pending save', async (t) => {
  const { scheduler, worker, cache, step, redis, prefix } = await setUp(t, {
    ecRole: 'ec_producer',
  });
  const request = requestFor('r', ['cat']);
  t.false(scheduler.ensureCacheAvailable(request, 0));
  t.false(await scheduler.lookUp(CAT));
  scheduler.updateStateAfterAlloc(request, 0);
  t.true(scheduler.hasPendingPushWork());
  t.deepEqual(scheduler.buildConnectorMeta().loads, []);
  cache.set(CAT, embeddingOf('cat'));
  worker.saveCaches(CAT);
  await worker.waitForSave();
  await step();
  t.false(scheduler.hasPendingPushWork());
  t.true(scheduler.hasCacheItem(CAT));
  t.true(await scheduler.lookUp(CAT));
  t.deepEqual(await redis.keys(`${prefix}:encode*`), []);
});

test('nothing keeps looking once nobody waits', async (t) => {
  const { scheduler, store } = await setUp(t, { lookAgainMs: 10 });
  const stat = store.stat.bind(store);
  let looks = 0;
  store.stat = async (key) => {
    looks += 1;
    return stat(key);
  };
  const request = requestFor('r', ['cat']);
  scheduler.ensureCacheAvailable(request, 0);
  await until(() => looks > 4);
  scheduler.requestFinished(request);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const after = looks;
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.is(looks, after);
});

test('what a request waits for or is about to use is leased until the request ends', async (t) => {
  const { scheduler, embeddings, usage } = await setUp(t);
  await embeddings.save(CAT, FINGERPRINT, embeddingOf('cat'));
  const [first, second] = [requestFor('a', ['cat', 'dog']), requestFor('b', ['cat'])];
  scheduler.ensureCacheAvailable(first, 0);
  await until(() => scheduler.hasCacheItem(CAT));
  scheduler.ensureCacheAvailable(second, 0);
  scheduler.requestFinished(first);
  await until(() => usage.claim(DOG));
  t.false(await usage.claim(CAT));
  scheduler.requestFinished(second);
  await until(() => usage.claim(CAT));
});
