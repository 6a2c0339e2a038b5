import { generateQueueName } from '@epd/connector';
import { eventually } from '@epd/service/testing';
import test from 'ava';
import { Queue, Worker } from 'bullmq';
import { Admission, Reconciler, type Job } from '../src/index.ts';
import { completed, newJob, testStore, type TestStore } from './helpers/store.ts';
import type { ExecutionContext } from 'ava';

function reconciler(
  t: ExecutionContext,
  { redis, prefix, jobs }: TestStore,
  onExpired?: (job: Job) => Promise<void>,
) {
  const made = new Reconciler({
    redis,
    prefix,
    jobs,
    intervalMs: 1,
    ...(onExpired === undefined ? {} : { onExpired }),
  });
  t.teardown(() => made.stop());
  return made;
}

test.serial('a job past its total deadline expires, and what it held is released', async (t) => {
  const store = testStore(t);
  const job = newJob({ endByMs: Date.now() - 1 });
  await store.jobs.create(job);
  const released: string[] = [];
  await reconciler(t, store, async ({ id }) => void released.push(id)).runOnce();
  const read = await store.jobs.get(job.id);
  t.is(read?.status, 'expired');
  t.is(read?.ending?.error?.code, 'not_started_in_time');
  t.deepEqual(released, [job.id]);
});

test.serial('a job that has begun is not held to its time to start', async (t) => {
  const store = testStore(t);
  const job = newJob({ startByMs: Date.now() - 1 });
  await store.jobs.create(job);
  const claim = await store.jobs.claim(job.id, 'one');
  await store.jobs.append(job.id, claim!.fence, [{ type: 'stage', stage: 'prefill', ms: 1 }]);
  await reconciler(t, store).runOnce();
  t.is((await store.jobs.get(job.id))?.status, 'in_progress');
});

test.serial('a live job whose generate job was lost is put on the queue again', async (t) => {
  const store = testStore(t);
  const job = newJob();
  await store.jobs.create(job);
  const queue = new Queue(generateQueueName('tiny-vlm'), {
    connection: store.redis,
    prefix: store.prefix,
  });
  t.teardown(() => queue.close());
  await queue.remove(job.id);
  await store.redis.zadd(`${store.prefix}:jobs:live`, Date.now() - 60_000, job.id);
  await reconciler(t, store).runOnce();
  t.is(await queue.getJobState(job.id), 'prioritized');
});

test.serial('index entries go when their record has expired', async (t) => {
  const store = testStore(t, { retentionMs: 1 });
  const job = newJob();
  await store.jobs.create(job);
  await store.jobs.finish(job.id, completed('a'));
  await new Promise((resolve) => setTimeout(resolve, 10));
  await reconciler(t, store).runOnce();
  t.is(await store.redis.zcard(`${store.prefix}:jobs:index:default`), 0);
  t.is(await store.redis.zcard(`${store.prefix}:jobs:retained`), 0);
});

test.serial(
  'a record that this version cannot read stays as it is and holds up no other',
  async (t) => {
    const store = testStore(t);
    const foreign = newJob({ endByMs: Date.now() - 2 });
    const due = newJob({ endByMs: Date.now() - 1 });
    for (const job of [foreign, due]) await store.jobs.create(job);
    const record = `${store.prefix}:job:${foreign.id}`;
    await store.redis.hset(record, { v: '2', request: '{"v":2}' });
    await reconciler(t, store).runOnce();
    t.is((await store.jobs.get(due.id))?.status, 'expired');
    t.is(await store.redis.hget(record, 'status'), 'queued');
  },
);

test.serial('a live job whose record is damaged ends, and holds up no other', async (t) => {
  const store = testStore(t);
  const damaged = newJob();
  const due = newJob({ endByMs: Date.now() - 1 });
  for (const job of [damaged, due]) await store.jobs.create(job);
  await store.redis.hset(`${store.prefix}:job:${damaged.id}`, 'request', '{"cut');
  await store.redis.del(`${store.prefix}:generate-tiny-vlm:${damaged.id}`);
  await store.redis.zadd(`${store.prefix}:jobs:live`, Date.now() - 60_000, damaged.id);
  await reconciler(t, store).runOnce();
  t.is((await store.jobs.get(due.id))?.status, 'expired');
  const { status, ending } = (await store.jobs.get(damaged.id))!;
  t.is(status, 'failed');
  t.is(ending?.error?.code, 'record_unreadable');
  t.is((await store.jobs.events(damaged.id, 0)).at(-1)?.type, 'end');
});

test.serial('deadlines are kept by the server’s clock', async (t) => {
  const store = testStore(t);
  const now = Date.now;
  t.teardown(() => (Date.now = now));
  const endByMs = now() + 60_000;
  const job = newJob({ endByMs });
  await store.jobs.create(job);
  Date.now = () => now() + 3_600_000; // this process's clock runs an hour ahead
  await reconciler(t, store).runOnce();
  const late = newJob({ endByMs: Date.now() + 60_000 });
  await store.jobs.create(late);
  Date.now = now;
  t.is((await store.jobs.get(job.id))?.status, 'queued');
  const kept = (await store.jobs.get(late.id))?.request.endByMs ?? 0;
  t.true(Math.abs(kept - endByMs) < 10_000);
});

/** A live job, a minute old, and what Redis may lose of it. */
async function minuteOld(t: ExecutionContext, deadline: number | null = null) {
  const store = testStore(t);
  const { redis, prefix, jobs } = store;
  const job = newJob({ endByMs: deadline }, { cost: { tokens: 7, most: { total: 0, tenant: 0 } } });
  await jobs.create(job);
  await redis.zadd(`${prefix}:jobs:live`, Date.now() - 60_000, job.id);
  const queue = new Queue(generateQueueName('tiny-vlm'), { connection: redis, prefix });
  t.teardown(() => queue.close());
  const lost: string[] = [];
  const made = new Reconciler({ ...store, intervalMs: 1, onLost: (id) => lost.push(id) });
  t.teardown(() => made.stop());
  const round = async (): Promise<void> => {
    await eventually(async () => (await redis.exists(`${prefix}:reconciler`)) === 0);
    await made.runOnce();
  };
  return { ...store, id: job.id, queue, lost, round };
}

const QUEUE_KEYS = ['prioritized', (id: string) => id] as const;
for (const key of QUEUE_KEYS) {
  const name = typeof key === 'string' ? `the queue's set` : 'its message';
  test.serial(`a live job is put back on its queue when Redis has lost ${name}`, async (t) => {
    const { redis, prefix, id, queue, lost, round } = await minuteOld(t);
    await redis.del(`${prefix}:generate-tiny-vlm:${typeof key === 'string' ? key : key(id)}`);
    await round();
    t.is(await queue.getJobState(id), 'prioritized');
    t.like(await queue.getJob(id), { data: { jobId: id } });
    t.deepEqual(lost, [id]);
    await round();
    t.deepEqual(lost, [id]);
  });
}

test.serial(
  'a live job has its place, its deadline and its cost again when Redis has lost one of them',
  async (t) => {
    const { redis, prefix, id, lost, round, jobs } = await minuteOld(t, Date.now() + 60_000);
    const admission = new Admission(redis, prefix);
    for (const key of ['jobs:live', 'jobs:deadlines', 'admission']) {
      await redis.del(`${prefix}:${key}`);
      await round();
      t.not(await redis.zscore(`${prefix}:jobs:live`, id), null, key);
      await redis.zadd(`${prefix}:jobs:live`, Date.now() - 60_000, id);
      t.not(await redis.zscore(`${prefix}:jobs:deadlines`, id), null, key);
      t.like(await admission.work('tiny-vlm'), { total: 7, count: 1 }, key);
    }
    t.deepEqual(lost, []);
    await jobs.finish(id, completed('a'));
    t.like(await admission.work(), { total: 0, count: 0 });
  },
);

test.serial('of a live job whose record is gone nothing is kept', async (t) => {
  const { redis, prefix, id, lost, round } = await minuteOld(t, Date.now() + 60_000);
  await redis.del(`${prefix}:job:${id}`);
  await round();
  t.is(await redis.exists(`${prefix}:jobs:live`, `${prefix}:jobs:deadlines`), 0);
  t.like(await new Admission(redis, prefix).work(), { total: 0, count: 0, endedCount: 0 });
  t.deepEqual(lost, []);
});

test.serial('a job that ends while it is looked at is not lost', async (t) => {
  const { jobs, id, queue, lost, round } = await minuteOld(t);
  await queue.remove(id);
  const get = jobs.get.bind(jobs);
  jobs.get = async (asked) => {
    const read = await get(asked);
    jobs.get = get;
    await jobs.finish(id, completed('a')); // just after its record was read alive
    return read;
  };
  await round();
  t.deepEqual(lost, []);
  t.is(await queue.getJobState(id), 'unknown');
});

test.serial(
  'a worker holds a job that its queue does not know any more: it is not put back',
  async (t) => {
    const { redis, prefix, id, queue, lost, round } = await minuteOld(t);
    const worker = new Worker(generateQueueName('tiny-vlm'), null, { connection: redis, prefix });
    t.teardown(() => worker.close());
    await worker.getNextJob('token');
    await redis.del(`${prefix}:generate-tiny-vlm:active`);
    await round();
    t.deepEqual(lost, []);
    t.is(await queue.getJobState(id), 'unknown');
  },
);

test.serial(
  'any number of records that this version cannot read starve nobody behind them',
  async (t) => {
    const store = testStore(t);
    const foreign = Array.from({ length: 120 }, () => newJob({ endByMs: Date.now() - 60_000 }));
    const due = newJob({ endByMs: Date.now() - 1 });
    for (const job of [...foreign, due]) await store.jobs.create(job);
    for (const { id } of foreign) {
      await store.redis.hset(`${store.prefix}:job:${id}`, { v: '2', request: '{"v":2}' });
    }
    await reconciler(t, store).runOnce();
    t.is((await store.jobs.get(due.id))?.status, 'expired');
  },
);
