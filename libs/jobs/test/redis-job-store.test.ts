import { generateQueueName } from '@epd/connector';
import { eventually, testRedisUrl } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { Queue, Worker } from 'bullmq';
import { Admission, DAMAGED_ENDING, RecordError, type SequencedEvent } from '../src/index.ts';
import { completed, newJob, testStore } from './helpers/store.ts';

const costing = (tokens: number, total: number) => ({ tokens, most: { total, tenant: 0 } });

test('a created job is queued, readable and on the generate queue', async (t) => {
  const { jobs, redis, prefix } = testStore(t);
  const job = newJob();
  const result = await jobs.create(job);
  t.is(result.outcome, 'created');
  const read = await jobs.get(job.id);
  t.like(read, { status: 'queued', stage: 'queued', tenant: 'default', ending: null });
  const queue = new Queue(generateQueueName('tiny-vlm'), { connection: redis, prefix });
  t.is(await queue.getJobState(job.id), 'prioritized');
  await queue.close();
});

test('a created job is returned as it reads, deadlines by the server’s clock included', async (t) => {
  const { jobs } = testStore(t);
  const deadlines = { startByMs: Date.now() + 5_000, endByMs: Date.now() + 60_000 };
  const webhook = { url: 'https://example.org', events: ['job.completed'] };
  const metadata = { a: 'b' };
  for (const job of [
    newJob(),
    newJob({ ...deadlines, images: [image('aa')] }, { webhook, metadata }),
  ]) {
    const result = await jobs.create(job);
    t.deepEqual(result.outcome === 'created' && result.job, await jobs.get(job.id));
  }
});

test('a created job comes with how many are ahead of it', async (t) => {
  const { jobs } = testStore(t);
  const ahead = async (priority: number) => {
    const result = await jobs.create(newJob({ priority }));
    return result.outcome === 'created' ? result.ahead : null;
  };
  t.deepEqual([await ahead(0), await ahead(0), await ahead(-5), await ahead(100)], [0, 1, 0, 3]);
});

/** On a server that has none of the scripts, a command that was sent behind one of them overtakes it. */
test('a fresh server, and one whose scripts were flushed, takes jobs that come together', async (t) => {
  const { jobs, redis, prefix } = testStore(t);
  const connection = redis.duplicate();
  const found = new Map<string, number>();
  const worker = new Worker(
    generateQueueName('tiny-vlm'),
    async ({ id = '' }) => void found.set(id, await redis.exists(`${prefix}:job:${id}`)),
    { connection, prefix, concurrency: 16 },
  );
  t.teardown(async () => {
    await worker.close();
    connection.disconnect();
  });
  await worker.waitUntilReady();
  const others = new Queue(generateQueueName('tiny-vlm'), {
    connection: { url: testRedisUrl() },
    prefix,
  });
  t.teardown(() => others.close());
  await jobs.create(newJob());
  for (let round = 0; round < 3; round++) {
    await redis.script('FLUSH');
    await others.add('generate', {}, { priority: 101 }); // the server knows this script again, and no other
    const together = Array.from({ length: 32 }, () => newJob({}, { cost: costing(10, 10_000) }));
    const created = await Promise.all(together.map((job) => jobs.create(job)));
    t.deepEqual(new Set(created.map(({ outcome }) => outcome)), new Set(['created']));
    await eventually(() => together.every(({ id }) => found.has(id)));
  }
  const ours = [...found].filter(([id]) => id.startsWith('job_'));
  t.deepEqual(new Set(ours.map(([, exists]) => exists)), new Set([1]));
});

test('a job is queued once its record is written, and not before', async (t) => {
  const { jobs, redis, prefix } = testStore(t);
  const job = newJob();
  await redis.set(`${prefix}:job:${job.id}`, 'no record');
  await t.throwsAsync(jobs.create(job), { message: /WRONGTYPE/ });
  const queue = new Queue(generateQueueName('tiny-vlm'), { connection: redis, prefix });
  t.is(await queue.getJobState(job.id), 'unknown');
  await queue.close();
});

test('a job that would exceed a bound is refused, and leaves nothing', async (t) => {
  const { jobs, redis, prefix } = testStore(t);
  const admission = new Admission(redis, prefix);
  const [first, refused] = [60, 50].map((cost) => newJob({}, { cost: costing(cost, 100) }));
  t.is((await jobs.create(first!)).outcome, 'created');
  t.deepEqual(await jobs.create(refused!), {
    outcome: 'refused',
    excess: { bound: 'total', waiting: 60 },
  });
  t.deepEqual(await admission.check('other', costing(50, 100)), { bound: 'total', waiting: 60 });
  t.is(await jobs.get(refused!.id), null);
  const queue = new Queue(generateQueueName('tiny-vlm'), { connection: redis, prefix });
  t.is(await queue.getJobState(refused!.id), 'unknown');
  await queue.close();
  await jobs.finish(first!.id, completed('a'));
  t.is(await admission.check('other', costing(50, 100)), null);
  t.is((await jobs.create(refused!)).outcome, 'created');
});

test('a job counts once, from its creation to its end, for the fleet, its model and its tenant', async (t) => {
  const { jobs, redis, prefix } = testStore(t);
  const admission = new Admission(redis, prefix);
  const job = newJob({}, { cost: costing(60, 0) });
  await jobs.create(job);
  t.is((await jobs.create(job)).outcome, 'repeated');
  t.like(await admission.work(), { total: 60, count: 1, endedCount: 0 });
  t.like(await admission.work('tiny-vlm'), { total: 60, count: 1, endedCount: 0 });
  t.like(await admission.work('another'), { total: 0, count: 0 });
  for (let i = 0; i < 2; i++) await jobs.finish(job.id, completed('a'));
  for (const model of [undefined, 'tiny-vlm']) {
    t.like(await admission.work(model), { total: 0, count: 0, endedCount: 1, endedCost: 60 });
  }
  t.is(await redis.hexists(`${prefix}:admission`, 'tenant:default'), 0);
});

test('time without work is no time in which work was done', async (t) => {
  const { jobs, redis, prefix } = testStore(t);
  const admission = new Admission(redis, prefix);
  const busyMs = async () => (await admission.work()).busyMs;
  const [first, second] = [newJob(), newJob()];
  await jobs.create(first);
  await eventually(async () => (await busyMs()) > 0);
  await jobs.finish(first.id, completed('a'));
  const before = await busyMs();
  await redis.hincrby(`${prefix}:admission`, 'changedAtMs', -60_000); // a minute of idling
  t.is(await busyMs(), before);
  await jobs.create(second);
  t.true((await busyMs()) < before + 30_000);
});

test('a job that does not exist reads as null', async (t) => {
  t.is(await testStore(t).jobs.get('job_none'), null);
});

test('a job enters exactly one terminal state, whoever comes first', async (t) => {
  const { jobs } = testStore(t);
  const job = newJob();
  await jobs.create(job);
  const endings = await Promise.all([
    jobs.finish(job.id, completed('a')),
    jobs.finish(job.id, { ...completed(''), status: 'cancelled' }),
    jobs.finish(job.id, { ...completed(''), status: 'expired' }),
  ]);
  t.is(endings.filter(Boolean).length, 1);
  const ends = (await jobs.events(job.id, 0)).filter((event) => event.type === 'end');
  t.is(ends.length, 1);
});

test('a later claim voids the earlier one', async (t) => {
  const { jobs } = testStore(t);
  const job = newJob();
  await jobs.create(job);
  const first = await jobs.claim(job.id, 'one');
  t.true(
    await jobs.append(job.id, first!.fence, [{ type: 'tokens', choice: 0, ids: [5], text: 'a' }]),
  );
  const second = await jobs.claim(job.id, 'two');
  t.like(second?.emitted.at(-1), { type: 'tokens', ids: [5] });
  t.false(
    await jobs.append(job.id, first!.fence, [{ type: 'tokens', choice: 0, ids: [6], text: 'b' }]),
  );
  t.false(await jobs.finish(job.id, completed('late'), first!.fence));
  t.true(await jobs.finish(job.id, completed('a'), second!.fence));
});

test('events that come with the ending are in the stream before the end', async (t) => {
  const { jobs } = testStore(t);
  const job = newJob();
  await jobs.create(job);
  const claim = await jobs.claim(job.id, 'one');
  t.deepEqual(claim?.job, (await jobs.get(job.id)) ?? undefined);
  const unwritten = [
    { type: 'stage', stage: 'prefill', ms: 1 },
    { type: 'tokens', choice: 0, ids: [1], text: 'a' },
  ] as const;
  t.false(await jobs.finish(job.id, completed('a'), claim!.fence + 1, unwritten));
  t.true(await jobs.finish(job.id, completed('a'), claim!.fence, unwritten));
  t.deepEqual(
    (await jobs.events(job.id, 0)).map(({ seq, type }) => `${seq} ${type}`),
    ['1 stage', '2 stage', '3 tokens', '4 end'],
  );
  t.truthy((await jobs.get(job.id))?.begunAtMs);
});

test('a terminal job cannot be claimed or written to', async (t) => {
  const { jobs } = testStore(t);
  const job = newJob();
  await jobs.create(job);
  const claim = await jobs.claim(job.id, 'one');
  await jobs.finish(job.id, { ...completed(''), status: 'cancelled' });
  t.is(await jobs.claim(job.id, 'two'), null);
  t.false(
    await jobs.append(job.id, claim!.fence, [{ type: 'tokens', choice: 0, ids: [6], text: 'b' }]),
  );
});

test('events are numbered from 1 without gaps, from any writer', async (t) => {
  const { jobs } = testStore(t);
  const job = newJob();
  await jobs.create(job);
  const claim = await jobs.claim(job.id, 'one');
  await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      i % 2 === 0
        ? jobs.note(job.id, { stage: 'encoding' })
        : jobs.append(job.id, claim!.fence, [{ type: 'tokens', choice: 0, ids: [i], text: 'x' }]),
    ),
  );
  const events = await jobs.events(job.id, 0);
  t.deepEqual(
    events.map((event) => event.seq),
    Array.from({ length: 21 }, (_, i) => i + 1),
  );
  t.deepEqual(
    (await jobs.events(job.id, 19)).map((event) => event.seq),
    [20, 21],
  );
});

test('a subscriber sees events as they are added, in order', async (t) => {
  const { jobs } = testStore(t);
  const job = newJob();
  await jobs.create(job);
  const seen: SequencedEvent[] = [];
  const ended = Promise.withResolvers<void>();
  const stop = await jobs.subscribe(job.id, (event) => {
    seen.push(event);
    if (event.type === 'end') ended.resolve();
  });
  const claim = await jobs.claim(job.id, 'one');
  await jobs.append(job.id, claim!.fence, [{ type: 'tokens', choice: 0, ids: [1], text: 'é"\n' }]);
  await jobs.finish(job.id, completed('é'), claim!.fence);
  await ended.promise;
  await stop();
  t.deepEqual(
    seen.map((event) => event.seq),
    [2, 3],
  );
  t.like(seen[0], { type: 'tokens', text: 'é"\n' });
});

test('who could not subscribe is called by nothing that comes later', async (t) => {
  const { jobs, redis } = testStore(t);
  const job = newJob();
  await jobs.create(job);
  redis.options.enableOfflineQueue = false; // of the connection that listens, which is to be made
  const seen: string[] = [];
  await t.throwsAsync(jobs.subscribe(job.id, () => seen.push('refused')));
  await eventually(async () => {
    await jobs.subscribe(job.id, () => seen.push('heard')).catch(() => null);
    await jobs.note(job.id, { stage: 'encoding' });
    return seen.includes('heard');
  });
  t.false(seen.includes('refused'));
});

test('an encoder’s note finds the image by its mm_hash and is kept with the record', async (t) => {
  const { jobs } = testStore(t);
  const job = newJob({ images: [image('aa'), image('bb')] });
  await jobs.create(job);
  await jobs.note(job.id, { stage: 'encoding', mmHash: 'bb', detail: { batch: 2 } });
  const [, event] = await jobs.events(job.id, 0);
  t.like(event, { type: 'stage', stage: 'encoding', item: 1, detail: { batch: 2 } });
  t.like((await jobs.get(job.id))?.imageNotes[0], { item: 1, stage: 'encoding', batch: 2 });
});

test('the same idempotency key and body give the same job, another body a conflict', async (t) => {
  const { jobs } = testStore(t);
  const idempotency = { key: 'k', bodySha256: 'one' };
  const first = newJob({}, { idempotency });
  await jobs.create(first);
  const again = await jobs.create(newJob({}, { idempotency }));
  t.true(again.outcome === 'repeated' && again.job.id === first.id);
  const other = await jobs.create(newJob({}, { idempotency: { key: 'k', bodySha256: 'two' } }));
  t.is(other.outcome, 'conflict');
});

test('an idempotency key whose job is kept no more makes another, with whatever body, and one only', async (t) => {
  const { jobs } = testStore(t);
  const first = keyed('one');
  await jobs.create(first);
  await jobs.finish(first.id, completed('a'));
  await jobs.remove(first.id);
  const results = await Promise.all([jobs.create(keyed('two')), jobs.create(keyed('two'))]);
  t.deepEqual(results.map(({ outcome }) => outcome).toSorted(), ['created', 'repeated']);
  const ids = results.map((result) => 'job' in result && result.job.id);
  t.is(ids[0], ids[1]);
  t.is((await jobs.create(keyed('one'))).outcome, 'conflict');
});

test('a job that is created again under its id is reported as repeated, and on the queue once', async (t) => {
  const { jobs, redis, prefix } = testStore(t);
  const job = newJob();
  const results = await Promise.all([jobs.create(job), jobs.create(job)]);
  t.deepEqual(results.map(({ outcome }) => outcome).toSorted(), ['created', 'repeated']);
  const again = await jobs.create(job);
  t.deepEqual(again, { outcome: 'repeated', job: (await jobs.get(job.id))! });
  t.is(await redis.zcard(`${prefix}:generate-tiny-vlm:prioritized`), 1);
});

test('listing pages through a tenant’s own jobs in order', async (t) => {
  const { jobs } = testStore(t);
  const mine = [newJob(), newJob(), newJob()];
  for (const job of mine) {
    await jobs.create(job);
    await new Promise((resolve) => setTimeout(resolve, 2)); // acceptance times order the page
  }
  await jobs.create(newJob({}, { tenant: 'other' }));
  const first = await jobs.list({ tenant: 'default', limit: 2, order: 'asc' });
  t.deepEqual(
    first.jobs.map((job) => job.id),
    mine.slice(0, 2).map((job) => job.id),
  );
  t.true(first.hasMore);
  const next = await jobs.list({ tenant: 'default', limit: 2, order: 'asc', after: mine[1]!.id });
  t.deepEqual(
    next.jobs.map((job) => job.id),
    [mine[2]!.id],
  );
  t.false(next.hasMore);
});

test('listing goes through an index of any length, past what has expired, and by status', async (t) => {
  const { jobs, redis, prefix } = testStore(t);
  const mine = Array.from({ length: 90 }, () => newJob());
  await Promise.all(mine.map((job) => jobs.create(job)));
  await redis.zadd(`${prefix}:jobs:index:default`, 1, 'job_expired', Date.now() + 9, 'job_gone');
  const { jobs: all } = await jobs.list({ tenant: 'default', limit: 100, order: 'asc' });
  t.deepEqual(all.map(({ id }) => id).toSorted(), mine.map(({ id }) => id).toSorted());
  const [oldest] = all;
  await jobs.finish(oldest!.id, completed('a'));
  const found = await jobs.list({
    tenant: 'default',
    limit: 1,
    order: 'desc',
    status: 'completed',
  });
  t.deepEqual(
    found.jobs.map(({ id }) => id),
    [oldest!.id],
  );
  t.false(found.hasMore);
  const seen: string[] = [];
  for (let more = true; more;) {
    const after = seen.at(-1);
    const page = await jobs.list({
      tenant: 'default',
      limit: 7,
      order: 'desc',
      ...(after === undefined ? {} : { after }),
    });
    seen.push(...page.jobs.map(({ id }) => id));
    more = page.hasMore;
  }
  t.deepEqual(seen, all.map(({ id }) => id).toReversed());
});

test('a record that cannot be read is left out of a list, and reported', async (t) => {
  const told: string[] = [];
  const { jobs, redis, prefix } = testStore(t, {
    onUnreadable: ({ message }) => told.push(message),
  });
  const [damaged, whole] = [newJob(), newJob()];
  for (const job of [damaged, whole]) await jobs.create(job);
  await redis.hset(`${prefix}:job:${damaged.id}`, 'request', '{"cut');
  const page = await jobs.list({ tenant: 'default', limit: 2, order: 'asc' });
  t.deepEqual(
    page.jobs.map(({ id }) => id),
    [whole.id],
  );
  t.is(told.length, 1);
  t.true(told[0]?.includes(damaged.id), told[0]);
});

test('removing takes a terminal job away and leaves a live one', async (t) => {
  const { jobs } = testStore(t);
  const job = newJob();
  await jobs.create(job);
  t.false(await jobs.remove(job.id));
  await jobs.finish(job.id, completed('a'));
  t.true(await jobs.remove(job.id));
  t.is(await jobs.get(job.id), null);
});

test('retention is counted from the ending', async (t) => {
  const { jobs, redis, prefix } = testStore(t, { retentionMs: 60_000 });
  const job = newJob();
  await jobs.create(job);
  t.is(await redis.pttl(`${prefix}:job:${job.id}`), -1);
  await jobs.finish(job.id, completed('a'));
  t.true((await redis.pttl(`${prefix}:job:${job.id}`)) > 50_000);
});

test('those who hold jobs are notified of which have ended', async (t) => {
  const { jobs } = testStore(t);
  const ended = Promise.withResolvers<string>();
  await jobs.onEnded((id) => ended.resolve(id));
  const job = newJob();
  await jobs.create(job);
  await jobs.finish(job.id, { ...completed(''), status: 'cancelled' });
  t.is(await ended.promise, job.id);
});

const keyed = (bodySha256: string) => newJob({}, { idempotency: { key: 'k', bodySha256 } });

const image = (mmHash: string) => ({
  mmHash,
  input: {
    key: 'inputs/x',
    sha256: 'a'.repeat(64),
    mediaType: 'image/png',
    bytes: 1,
    width: 1,
    height: 1,
  },
  tokens: 16,
  found: 'requested' as const,
  generation: 1,
});

test('a record of another version is not claimed, and loses no claim of those who know it', async (t) => {
  const { jobs, redis, prefix } = testStore(t);
  const job = newJob();
  await jobs.create(job);
  const claim = await jobs.claim(job.id, 'one');
  await redis.hset(`${prefix}:job:${job.id}`, 'v', '2');
  await t.throwsAsync(jobs.claim(job.id, 'two'), { name: 'RecordError' });
  t.true(await jobs.append(job.id, claim!.fence, [{ type: 'stage', stage: 'prefill', ms: 1 }]));
});

test('a job has waited while no worker had it, and is as old as it is', async (t) => {
  const { jobs, redis, prefix } = testStore(t);
  const job = newJob();
  await jobs.create(job);
  const record = `${prefix}:job:${job.id}`;
  /** As if it had happened so long ago. */
  const longAgo = async (field: string, ms: number) => redis.hincrby(record, field, -ms);
  await longAgo('createdAtMs', 10_000);
  const first = await jobs.claim(job.id, 'one');
  near(t, first!.waitedMs, 10_000);
  await longAgo('createdAtMs', 50_000); // it was served for that long
  await jobs.handBack(job.id, first!.fence);
  await longAgo('waitingSinceMs', 3_000);
  const second = await jobs.claim(job.id, 'two');
  near(t, second!.waitedMs, 13_000);
  near(t, performance.now() - second!.acceptedAt, 60_000);
  const afterLoss = await jobs.claim(job.id, 'three');
  t.is(afterLoss!.waitedMs, second!.waitedMs, 'when its worker was lost is not known');
});

test('no wait is negative, whatever the clocks say', async (t) => {
  const { jobs, redis, prefix } = testStore(t);
  const job = newJob();
  await jobs.create(job);
  await redis.hincrby(`${prefix}:job:${job.id}`, 'createdAtMs', 60_000);
  const claim = await jobs.claim(job.id, 'one');
  t.is(claim!.waitedMs, 0);
  t.true(claim!.acceptedAt <= performance.now());
});

/** Beyond what was made up, only what the test itself took. */
function near(t: ExecutionContext, ms: number, expected: number): void {
  t.true(ms >= expected && ms < expected + 3_000, `expected about ${expected}, got ${ms}`);
}

test('a damaged record is reported as one that cannot be read', async (t) => {
  const { jobs, redis, prefix } = testStore(t);
  for (const field of ['request', 'metadata', 'ending', 'webhook', 'note:0:encoding']) {
    const job = newJob();
    await jobs.create(job);
    await redis.hset(`${prefix}:job:${job.id}`, field, '{"cut');
    const error = await t.throwsAsync(jobs.get(job.id), { name: 'RecordError' });
    t.true(error.message.includes(field), error.message);
  }
});

test('a job that failed because its record is damaged reads as failed, with its intact fields', async (t) => {
  const { jobs, redis, prefix } = testStore(t);
  const webhook = { url: 'https://example.org', events: ['job.failed'] };
  for (const field of ['request', 'metadata', 'webhook', 'note:0:encoding']) {
    const job = newJob({}, { metadata: { a: 'b' }, webhook });
    await jobs.create(job);
    await redis.hset(`${prefix}:job:${job.id}`, field, '{"cut');
    t.true(await jobs.finish(job.id, DAMAGED_ENDING));
    t.like(await jobs.get(job.id), {
      tenant: 'default',
      status: 'failed',
      ending: { error: { code: 'record_unreadable' } },
      metadata: field === 'metadata' ? {} : { a: 'b' },
      webhook: field === 'webhook' ? null : webhook,
    });
  }
  const { jobs: listed } = await jobs.list({ tenant: 'default', limit: 9, order: 'asc' });
  t.is(listed.length, 4);
});

test('a job ends though its record says not even whose it is', async (t) => {
  const { jobs, redis, prefix } = testStore(t);
  const job = newJob();
  await jobs.create(job);
  await redis.hdel(`${prefix}:job:${job.id}`, 'tenant', 'request', 'createdAtMs');
  t.true(await jobs.finish(job.id, DAMAGED_ENDING));
  t.is((await jobs.get(job.id))?.status, 'failed');
  t.is(await redis.zcard(`${prefix}:jobs:live`), 0);
  t.is(await redis.hget(`${prefix}:jobs:totals`, 'failed'), '1');
});

test('what a newer version wrote is told from what is damaged', async (t) => {
  const { jobs, redis, prefix } = testStore(t);
  const foreign = async (fields: Record<string, string>) => {
    const job = newJob();
    await jobs.create(job);
    await redis.hset(`${prefix}:job:${job.id}`, fields);
    const error = await t.throwsAsync(jobs.get(job.id), { instanceOf: RecordError });
    return error.foreign;
  };
  t.true(await foreign({ v: '2', request: '{"v":2}' }));
  t.true(await foreign({ request: '{"v":2}' }));
  t.true(await foreign({ v: '2', metadata: '{"cut' }));
  t.false(await foreign({ request: '{"v":1}' }));
  t.false(await foreign({ request: '{"cut' }));
  t.false(await foreign({ request: 'null' }));
});

test('a claim that was released is no loss, however often', async (t) => {
  const { jobs } = testStore(t);
  const job = newJob();
  await jobs.create(job);
  const first = await jobs.claim(job.id, 'one');
  await jobs.handBack(job.id, first!.fence);
  await jobs.handBack(job.id, first!.fence);
  t.like(await jobs.claim(job.id, 'two'), { fence: 2, losses: 0 });
  t.like(await jobs.claim(job.id, 'three'), { fence: 3, losses: 1 });
});

test('a claim names who had the job before, and whether that worker returned it', async (t) => {
  const { jobs } = testStore(t);
  const job = newJob();
  await jobs.create(job);
  const first = await jobs.claim(job.id, 'one');
  t.is(first?.before, null);
  await jobs.handBack(job.id, first!.fence);
  const second = await jobs.claim(job.id, 'two');
  t.deepEqual(second?.before, { worker: 'one', handedBack: true });
  const third = await jobs.claim(job.id, 'three');
  t.deepEqual(third?.before, { worker: 'two', handedBack: false });
});

test('a claim that is released after another claim is no loss either, and is counted once', async (t) => {
  const { jobs } = testStore(t);
  const job = newJob();
  await jobs.create(job);
  const first = await jobs.claim(job.id, 'one');
  t.is((await jobs.claim(job.id, 'two'))?.losses, 1);
  for (let i = 0; i < 2; i++) await jobs.handBack(job.id, first!.fence);
  const third = await jobs.claim(job.id, 'three');
  t.is(third?.losses, 1); // the second's
  t.deepEqual(third?.before, { worker: 'two', handedBack: false });
});

test('a list by status reads the records that have it, and no others', async (t) => {
  const { jobs, redis } = testStore(t);
  const made = Array.from({ length: 45 }, () => newJob());
  for (const job of made) await jobs.create(job);
  for (const { id } of [made[3]!, made[40]!]) await jobs.finish(id, completed('a'));
  let reads = 0;
  const hgetall = redis.hgetall.bind(redis);
  redis.hgetall = (key: string) => {
    reads += 1;
    return hgetall(key);
  };
  const page = { tenant: 'default', order: 'asc', status: 'completed' } as const;
  const all = await jobs.list({ ...page, limit: 5 });
  t.deepEqual(all, { jobs: all.jobs, hasMore: false });
  t.deepEqual(
    all.jobs.map(({ id }) => id),
    [made[3]!.id, made[40]!.id],
  );
  t.is(reads, 2);
  const first = await jobs.list({ ...page, limit: 1 });
  t.true(first.hasMore);
  const next = await jobs.list({ ...page, limit: 1, after: first.jobs[0]!.id });
  t.deepEqual(
    next.jobs.map(({ id }) => id),
    [made[40]!.id],
  );
});
