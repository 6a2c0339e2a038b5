import {
  encodeJobId,
  encodeQueueName,
  MemoryStore,
  StoreUnavailableError,
  type EncodeJob,
} from '@epd/connector';
import { RedisJobStore } from '@epd/jobs';
import { eventually } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { Queue } from 'bullmq';
import { goldenFeatures, goldenImage, worstDifference } from '../helpers/golden.ts';
import { newJob } from '../helpers/new-job.ts';
import {
  closeVision,
  encodeJob,
  eventOf,
  goldenJob,
  testEncoder,
  testFleet,
  type TestEncoder,
  type TestFleet,
} from '../helpers/test-encoder.ts';

const TOLERANCE = 1e-4;

test.after.always(closeVision);

function encodeQueue(t: ExecutionContext, { redis, prefix, model }: TestFleet): Queue {
  const queue = new Queue(encodeQueueName(model.card.id), { connection: redis, prefix });
  t.teardown(() => queue.close());
  return queue;
}

const encoded = (encoder: TestEncoder): Promise<number> =>
  encoder.metric('epd_encode_items_total', { outcome: 'encoded' });

/** Adds a message without asking whether it is needed: a late duplicate, or one of another version. */
async function add(queue: Queue, message: { mmHash: string }): Promise<void> {
  const options = {
    jobId: encodeJobId(message.mmHash),
    removeOnComplete: true,
    removeOnFail: true,
  };
  await queue.add('encode', message, options);
}

/** Waits until the queue has forgotten the item: its id is then free for the next request. */
const untilGone = (queue: Queue, { mmHash }: { mmHash: string }): Promise<unknown> =>
  eventually(async () => (await queue.getJobState(encodeJobId(mmHash))) === 'unknown');

test('pictures asked for are encoded as the reference does, saved and announced', async (t) => {
  const fleet = await testFleet(t);
  const encoder = await testEncoder(t, fleet);
  const features = await goldenFeatures();
  for (const [name, expected] of features) {
    const job = await goldenJob(fleet, name);
    t.is((await fleet.requester.request(job, 'somebody')).found, 'requested');
    t.like(await eventOf(fleet, job), { outcome: 'stored', rows: 16, width: 192, dtype: 'F32' });
    const { mmHash, fingerprint } = job;
    const loaded = await fleet.embeddings.load({ mmHash, fingerprint, width: 192, rows: 16 });
    t.true(worstDifference(loaded!.embedding.data, expected) <= TOLERANCE);
  }
  await eventually(async () => (await encoded(encoder)) === features.size);
});

test('what is asked for together is encoded in batches, by two encoders each image once', async (t) => {
  const fleet = await testFleet(t);
  const encoders = [await testEncoder(t, fleet), await testEncoder(t, fleet)];
  const names = [...(await goldenFeatures()).keys()];
  const jobs = await Promise.all(names.map((name) => goldenJob(fleet, name)));
  await Promise.all(
    [...jobs, ...jobs].map((job, index) => fleet.requester.request(job, `job-${index}`)),
  );
  const events = await Promise.all(jobs.map((job) => eventOf(fleet, job)));
  t.true(events.some((event) => event.outcome === 'stored' && event.timings.batch > 1));
  await eventually(async () => {
    const counts = await Promise.all(encoders.map(encoded));
    return counts.reduce((sum, count) => sum + count, 0) === names.length;
  });
});

test('a waiting job receives the stages of its image', async (t) => {
  const fleet = await testFleet(t);
  const jobs = new RedisJobStore(fleet);
  t.teardown(() => jobs.close());
  const job = await goldenJob(fleet, '01-0.png');
  await jobs.create(newJob('waiting', job));
  await fleet.requester.request(job, 'waiting');
  await testEncoder(t, fleet);
  await eventually(async () => (await jobs.get('waiting'))?.stage === 'stored');
  const stages = (await jobs.events('waiting', 0)).filter((event) => event.type === 'stage');
  t.deepEqual(
    stages.map(({ stage, item }) => [stage, item]),
    [
      ['queued', undefined],
      ['encoding', 0],
      ['stored', 0],
    ],
  );
  t.is(stages[2]?.detail?.batch, 1);
});

test('a late duplicate costs a lookup, and is announced', async (t) => {
  const fleet = await testFleet(t);
  const encoder = await testEncoder(t, fleet);
  const job = await goldenJob(fleet, '01-0.png');
  await fleet.requester.request(job, 'first');
  await eventOf(fleet, job);
  const queue = encodeQueue(t, fleet);
  await untilGone(queue, job);
  const { generation } = await fleet.flight.join(job.mmHash, 'late');
  await add(queue, job);
  await eventually(() => fleet.events.length === 2);
  await eventually(
    async () => (await fleet.flight.look(job.mmHash, generation)).state === 'stored',
  );
  await untilGone(queue, job);
  t.is(await encoder.metric('epd_encode_items_total', { outcome: 'stored_already' }), 1);
  t.is(await encoder.metric('epd_encode_items_total', { outcome: 'encoded' }), 1);
});

test('an embedding that the store lost is saved again without being made again', async (t) => {
  const fleet = await testFleet(t);
  const encoder = await testEncoder(t, fleet);
  const job = await goldenJob(fleet, '01-0.png');
  await fleet.requester.request(job, 'first');
  await eventOf(fleet, job);
  const queue = encodeQueue(t, fleet);
  await untilGone(queue, job);
  await fleet.embeddings.delete(job.mmHash);
  await fleet.requester.request(job, 'second');
  await eventually(() => fleet.events.length === 2);
  await untilGone(queue, job);
  t.true(await fleet.embeddings.has(job));
  t.is(await encoder.metric('epd_encode_items_total', { outcome: 'saved_again' }), 1);
});

const FAULTS: readonly (readonly [string, string, (fleet: TestFleet) => Promise<EncodeJob>])[] = [
  [
    'a broken file',
    'image_broken',
    async (fleet) => {
      const bytes = await goldenImage('01-0.png');
      return encodeJob(fleet, bytes.subarray(0, bytes.length / 2));
    },
  ],
  ['what is no image', 'image_unsupported', (fleet) => encodeJob(fleet, Buffer.from('hello'))],
  [
    'an image with other tokens than promised',
    'image_size_mismatch',
    async (fleet) => encodeJob(fleet, await goldenImage('01-0.png'), { tokens: 17 }),
  ],
  [
    'an image that is no longer stored',
    'input_missing',
    async (fleet) => {
      const job = await goldenJob(fleet, '01-0.png');
      await fleet.store.delete(job.input.key);
      return job;
    },
  ],
  [
    'a stored image that was changed',
    'input_damaged',
    async (fleet) => {
      const job = await goldenJob(fleet, '01-0.png');
      await fleet.store.put(job.input.key, await goldenImage('02-0.png'));
      return job;
    },
  ],
];

for (const [title, code, make] of FAULTS) {
  test(`${title} fails by itself, with a code`, async (t) => {
    const fleet = await testFleet(t);
    const faulty = await make(fleet);
    const sound = await goldenJob(fleet, '03-0.png');
    const [request] = await Promise.all(
      [faulty, sound].map((job) => fleet.requester.request(job, 'me')),
    );
    const encoder = await testEncoder(t, fleet);
    t.like(await eventOf(fleet, faulty), { outcome: 'failed', error: { code } });
    t.like(await eventOf(fleet, sound), { outcome: 'stored' });
    const seen = await eventually(async () => {
      const state = await fleet.flight.look(faulty.mmHash, request!.generation);
      return state.state === 'failed' && state;
    });
    t.is(seen.error.code, code);
    await untilGone(encodeQueue(t, fleet), faulty);
    t.is(await encoder.metric('epd_encode_failures_total', { code }), 1);
  });
}

for (const [title, changed] of [
  ['a message of another version', { v: 2 }],
  ['an image for another version of the model', { fingerprint: 'other' }],
] as const) {
  test(`${title} is left to other encoders`, async (t) => {
    const fleet = await testFleet(t);
    const queue = encodeQueue(t, fleet);
    await testEncoder(t, fleet);
    const job = await goldenJob(fleet, '01-0.png');
    await add(queue, { ...job, ...changed });
    await eventually(async () => (await queue.getJobState(encodeJobId(job.mmHash))) === 'delayed');
    t.is(fleet.events.length, 0);
    t.is((await fleet.flight.begin(job.mmHash, 'other')).deaths, 0);
  });
}

test('an image for a version of the model that is gone fails after it was returned to the queue for a minute, whatever clocks say', async (t) => {
  const fleet = await testFleet(t);
  const queue = encodeQueue(t, fleet);
  await testEncoder(t, fleet);
  const changed = { fingerprint: 'other', requestedAtMs: Date.now() - 3_600_000 };
  const job = await encodeJob(fleet, await goldenImage('01-0.png'), changed);
  const id = encodeJobId(job.mmHash);
  await fleet.requester.request(job, 'me');
  await eventually(async () => (await queue.getJobState(id)) === 'delayed');
  t.is(fleet.events.length, 0);
  // As often as in a minute.
  await fleet.redis.hset(`${fleet.prefix}:${queue.name}:${id}`, 'ats', 30);
  await (await queue.getJob(id))?.promote();
  t.like(await eventOf(fleet, job), { outcome: 'failed', error: { code: 'model_mismatch' } });
});

test('jobs that wait for a message that cannot be read are notified', async (t) => {
  const fleet = await testFleet(t);
  const queue = encodeQueue(t, fleet);
  await testEncoder(t, fleet);
  const { input: _input, ...job } = await goldenJob(fleet, '01-0.png');
  await add(queue, job);
  t.like(await eventOf(fleet, job), { outcome: 'failed', error: { code: 'message_unreadable' } });
  await untilGone(queue, job);
  t.pass();
});

test('an image that an encoder died with is encoded alone', async (t) => {
  const fleet = await testFleet(t);
  const names = ['01-0.png', '02-0.png', '03-0.png', '04-0.png'];
  const jobs = await Promise.all(names.map((name) => goldenJob(fleet, name)));
  await Promise.all(jobs.map((job) => fleet.requester.request(job, 'me')));
  const [suspect] = jobs;
  await fleet.flight.begin(suspect!.mmHash, 'dead');
  const encoder = await testEncoder(t, fleet);
  t.like(await eventOf(fleet, suspect!), { outcome: 'stored', timings: { batch: 1 } });
  t.is(await encoder.metric('epd_encode_redispatches_total'), 1);
});

test('an image that keeps crashing encoders fails, and is remembered', async (t) => {
  const fleet = await testFleet(t);
  const job = await goldenJob(fleet, '01-0.png');
  await fleet.requester.request(job, 'me');
  for (let death = 0; death < 3; death += 1) await fleet.flight.begin(job.mmHash, `dead-${death}`);
  const encoder = await testEncoder(t, fleet);
  const expected = {
    outcome: 'failed',
    error: { code: 'encode_poison', retryable: false },
  } as const;
  t.like(await eventOf(fleet, job), expected);
  await untilGone(encodeQueue(t, fleet), job);
  await fleet.requester.request(job, 'again');
  await eventually(() => fleet.events.length === 2);
  t.like(fleet.events[1], expected);
  t.is(await encoder.metric('epd_encode_items_total', { outcome: 'encoded' }), 0);
});

/** A store that is unavailable for the first calls of each kind. */
class FlakyStore extends MemoryStore {
  #left = 3;

  override async get(...args: Parameters<MemoryStore['get']>): ReturnType<MemoryStore['get']> {
    this.#fail();
    return super.get(...args);
  }

  override async stat(...args: Parameters<MemoryStore['stat']>): ReturnType<MemoryStore['stat']> {
    this.#fail();
    return super.stat(...args);
  }

  #fail(): void {
    this.#left -= 1;
    if (this.#left >= 0) throw new StoreUnavailableError('test', 'it is away');
  }
}

test('a store that is unavailable only delays', async (t) => {
  const fleet = await testFleet(t, new FlakyStore());
  const job = await goldenJob(fleet, '01-0.png');
  await fleet.flight.join(job.mmHash, 'me');
  await add(encodeQueue(t, fleet), job);
  await testEncoder(t, fleet);
  t.like(await eventOf(fleet, job), { outcome: 'stored' });
});

/** A store whose answer never comes, unless the reader gives up. */
class SilentStore extends MemoryStore {
  readonly asked = Promise.withResolvers<void>();

  override get(_key: string, options?: { signal?: AbortSignal }): Promise<never> {
    this.asked.resolve();
    return new Promise((_, reject) => {
      options?.signal?.addEventListener('abort', () => reject(new Error('aborted')));
    });
  }
}

test('a stopping encoder returns to the queue what it cannot finish, which is no crash', async (t) => {
  const store = new SilentStore();
  const fleet = await testFleet(t, store);
  const queue = encodeQueue(t, fleet);
  const encoder = await testEncoder(t, fleet);
  const job = await goldenJob(fleet, '01-0.png');
  await fleet.requester.request(job, 'me');
  await store.asked.promise;
  await encoder.stop(1);
  t.is(await queue.getJobState(encodeJobId(job.mmHash)), 'prioritized');
  t.is((await fleet.flight.begin(job.mmHash, 'next')).deaths, 0);
  t.false(encoder.isRunning);
});

test('a stopping encoder finishes what it holds', async (t) => {
  const fleet = await testFleet(t);
  const encoder = await testEncoder(t, fleet);
  const names = ['01-0.png', '02-0.png', '03-0.png', '04-0.png'];
  const jobs = await Promise.all(names.map((name) => goldenJob(fleet, name)));
  await Promise.all(jobs.map((job) => fleet.requester.request(job, 'me')));
  await eventOf(fleet, jobs[0]!);
  await encoder.stop(60_000);
  const queue = encodeQueue(t, fleet);
  for (const job of jobs) {
    const state = await queue.getJobState(encodeJobId(job.mmHash));
    t.is(await fleet.embeddings.has(job), state === 'unknown');
  }
});
