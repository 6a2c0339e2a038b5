import { Queue } from 'bullmq';
import { testRedis } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import {
  EmbeddingStore,
  EmbeddingUsage,
  EncodeRequester,
  MemoryStore,
  RedisSingleFlight,
  encodeJobId,
  encodeQueueName,
  queuePriority,
} from '../../src/index.ts';
import { countingMetrics } from '../helpers/counting-metrics.ts';
import { FINGERPRINT, embeddingOf, hashOf } from '../helpers/embeddings.ts';
import { MODEL, encodeJobOf } from '../helpers/encode-jobs.ts';

const CAT = hashOf('cat');
const BAD_IMAGE = { code: 'bad_image', message: 'Not an image', retryable: false };

function setUp(t: ExecutionContext) {
  const { redis, prefix } = testRedis(t);
  const embeddings = new EmbeddingStore({ store: new MemoryStore() });
  const { metrics, counts } = countingMetrics();
  const requester = new EncodeRequester({ redis, prefix, embeddings, metrics });
  const flight = new RedisSingleFlight({ redis, prefix });
  const queue = new Queue(encodeQueueName(MODEL), { connection: redis, prefix });
  const isQueued = async (mmHash: string) =>
    (await queue.getJob(encodeJobId(mmHash))) !== undefined;
  t.teardown(async () => {
    await requester.close();
    await queue.obliterate({ force: true });
    await queue.close();
  });
  return { requester, embeddings, flight, queue, isQueued, counts, connection: { redis, prefix } };
}

test('of many requests one asks and the others join', async (t) => {
  const { requester, queue, counts } = setUp(t);
  const requests = await Promise.all(
    Array.from({ length: 30 }, (_, index) => requester.request(encodeJobOf('cat'), `job-${index}`)),
  );
  t.is(requests.filter(({ found }) => found === 'requested').length, 1);
  t.is(requests.filter(({ found }) => found === 'joined').length, 29);
  t.is(await queue.count(), 1);
  t.is(counts.get('requested'), 1);
  t.is(counts.get('joined'), 29);
});

test('what is stored is not asked for', async (t) => {
  const { requester, embeddings, queue } = setUp(t);
  await embeddings.save(CAT, FINGERPRINT, embeddingOf('cat'));
  t.deepEqual(await requester.request(encodeJobOf('cat'), 'job'), {
    found: 'stored',
    generation: 0,
  });
  t.is(await queue.count(), 0);
});

test('what lies in a KV cache is neither asked for nor leased, until that expires', async (t) => {
  const { requester, queue, connection } = setUp(t);
  const { redis, prefix } = connection;
  const residents = `${prefix}:resident:${MODEL}`;
  await redis.zadd(residents, Date.now() + 60_000, CAT, 1, hashOf('dog'));
  const cat = await requester.request(encodeJobOf('cat'), 'job', { residents });
  t.deepEqual(cat, { found: 'resident', generation: 0 });
  t.is(await queue.count(), 0);
  t.deepEqual(await redis.keys(`${prefix}:ec:{usage}:lease:*`), []);
  const dog = await requester.request(encodeJobOf('dog'), 'job', { residents });
  t.is(dog.found, 'requested');
});

test('what the index knows and the store has lost is asked for', async (t) => {
  const { requester, isQueued, connection } = setUp(t);
  await new EmbeddingUsage(connection).record(CAT, 100);
  t.is((await requester.request(encodeJobOf('cat'), 'job')).found, 'requested');
  t.true(await isQueued(CAT));
});

test('a look right after the request trusts the queue', async (t) => {
  const { requester, queue, isQueued } = setUp(t);
  const { generation } = await requester.request(encodeJobOf('cat'), 'job');
  await queue.remove(encodeJobId(CAT));
  const trusting = { trustQueue: true };
  const look = await requester.recheck(encodeJobOf('cat'), 'job', generation, trusting);
  t.deepEqual(look, { state: 'pending', generation });
  t.false(await isQueued(CAT));
});

test('a lost queue entry is put back by whoever looks again', async (t) => {
  const { requester, queue, isQueued } = setUp(t);
  const { generation } = await requester.request(encodeJobOf('cat'), 'job');
  await queue.remove(encodeJobId(CAT));
  t.deepEqual(await requester.recheck(encodeJobOf('cat'), 'job', generation), {
    state: 'pending',
    generation,
  });
  t.true(await isQueued(CAT));
  await requester.recheck(encodeJobOf('cat'), 'job', generation);
  t.is(await queue.count(), 1);
});

test('looking again finds the item of the store, a failure, and starts afresh when all was lost', async (t) => {
  const { requester, embeddings, flight, isQueued } = setUp(t);
  const job = encodeJobOf('cat');
  const { generation } = await requester.request(job, 'job');

  await flight.settle(CAT, { state: 'failed', error: BAD_IMAGE });
  t.deepEqual(await requester.recheck(job, 'job', generation), {
    state: 'failed',
    generation,
    error: BAD_IMAGE,
  });

  const retried = await requester.request(job, 'job');
  t.true(retried.generation > generation);
  await flight.settle(CAT, { state: 'stored' });
  const lost = await requester.recheck(job, 'job', retried.generation);
  t.is(lost.state, 'pending');
  t.true(lost.generation > retried.generation);
  t.true(await isQueued(CAT));

  await embeddings.save(CAT, FINGERPRINT, embeddingOf('cat'));
  t.is((await requester.recheck(job, 'job', lost.generation)).state, 'stored');
});

test('waiting work goes with the last waiter, and only then', async (t) => {
  const { requester, isQueued } = setUp(t);
  await requester.request(encodeJobOf('cat'), 'a');
  await requester.request(encodeJobOf('cat'), 'b');
  await requester.release(CAT, 'a');
  t.true(await isQueued(CAT));
  await requester.release(CAT, 'b');
  t.false(await isQueued(CAT));
  t.is((await requester.request(encodeJobOf('cat'), 'c')).found, 'requested');
  t.true(await isQueued(CAT));
});

test('the release of an item that was there looks for no work', async (t) => {
  const { requester, embeddings, flight, isQueued } = setUp(t);
  await embeddings.save(CAT, FINGERPRINT, embeddingOf('cat'));
  t.is((await requester.request(encodeJobOf('cat'), 'a')).found, 'stored');
  await requester.enqueue(encodeJobOf('cat'));
  await requester.release(CAT, 'a');
  t.true(await isQueued(CAT), 'of whom it is, is not for this waiter to say');
  t.deepEqual(await flight.leave(CAT, 'a'), { remaining: 0, abandoned: false });
});

test('a release by a process that asked for nothing finds the work by its model', async (t) => {
  const { requester, embeddings, isQueued, connection } = setUp(t);
  await requester.request(encodeJobOf('cat'), 'a');
  const other = new EncodeRequester({ ...connection, embeddings });
  t.teardown(() => other.close());
  await other.release(CAT, 'a', MODEL);
  t.false(await isQueued(CAT));
});

test('joins and releases at once leave either both or neither of flight and work', async (t) => {
  const { requester, flight, isQueued } = setUp(t);
  const job = encodeJobOf('cat');
  for (let round = 0; round < 20; round += 1) {
    await requester.request(job, 'a');
    const [, joined] = await Promise.all([
      requester.release(CAT, 'a'),
      requester.request(job, 'b'),
    ]);
    t.is((await requester.recheck(job, 'b', joined.generation)).state, 'pending');
    t.true(await isQueued(CAT));
    t.deepEqual(await flight.waiters(CAT), ['b']);
    await requester.release(CAT, 'b');
    t.false(await isQueued(CAT));
  }
});

/** What the queue says of work of a priority that was added since `before`: it ages. */
const ranksOf = (priority: number, before: number): number[] => [
  queuePriority(priority, before),
  queuePriority(priority, Date.now()),
];

test('work that is asked for again keeps the priority of the job that waits for it', async (t) => {
  const before = Date.now();
  const { requester, queue } = setUp(t);
  const job = { ...encodeJobOf('cat'), priority: 50 };
  const { generation } = await requester.request(job, 'a');
  await queue.remove(encodeJobId(CAT));
  await requester.recheck(job, 'a', generation);
  t.true(ranksOf(50, before).includes((await queue.getJob(encodeJobId(CAT)))?.priority ?? 0));
  t.is(await queue.getJobState(encodeJobId(CAT)), 'prioritized');
});

test('who joins with a higher priority lifts the work, and nobody pushes it back', async (t) => {
  const before = Date.now();
  const { requester, queue } = setUp(t);
  const [batch, asked] = [{ ...encodeJobOf('cat'), priority: 50 }, encodeJobOf('cat')];
  const priority = async () => (await queue.getJob(encodeJobId(CAT)))?.priority;
  await requester.request(batch, 'batch');
  await requester.request(asked, 'asked');
  t.true(ranksOf(0, before).includes((await priority()) ?? 0));
  await requester.request(batch, 'another batch');
  t.true(ranksOf(0, before).includes((await priority()) ?? 0));
});

test('work that Redis has lost, or its place only, is put back by whoever looks again', async (t) => {
  const { requester, queue, connection } = setUp(t);
  const job = encodeJobOf('cat');
  const { generation } = await requester.request(job, 'a');
  for (const key of ['prioritized', encodeJobId(CAT)]) {
    await connection.redis.del(queue.toKey(key));
    await requester.recheck(job, 'a', generation);
    t.is(await queue.getJobState(encodeJobId(CAT)), 'prioritized', key);
    t.deepEqual((await queue.getJob(encodeJobId(CAT)))?.data, job);
  }
});
