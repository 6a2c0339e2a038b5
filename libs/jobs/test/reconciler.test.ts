import { generateQueueName } from '@epd/connector';
import test from 'ava';
import { Queue } from 'bullmq';
import { Reconciler, type Job } from '../src/index.ts';
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
