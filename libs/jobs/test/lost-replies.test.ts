import { eventually, testPrefix } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { RedisJobStore } from '../src/index.ts';
import { lossyRedis } from './helpers/lossy-redis.ts';
import { completed, newJob, testStore } from './helpers/store.ts';

async function lossyStore(t: ExecutionContext, prefix = testPrefix(), reconnectMs = 10) {
  const { redis, loseNextReply } = await lossyRedis(t, { reconnectMs });
  const jobs = new RedisJobStore({ redis, prefix });
  t.teardown(() => jobs.close());
  return { jobs, redis, loseNextReply };
}

/** A client sends a command again whose reply did not come: the server sees it twice. */
test('events whose reply was lost are in the stream once', async (t) => {
  const { jobs, loseNextReply } = await lossyStore(t);
  const job = newJob();
  await jobs.create(job);
  const claim = await jobs.claim(job.id, 'one');
  const fence = claim!.fence;
  await jobs.append(job.id, fence, [{ type: 'tokens', choice: 0, ids: [1], text: 'a' }]);
  loseNextReply();
  t.true(await jobs.append(job.id, fence, [{ type: 'tokens', choice: 0, ids: [2], text: 'b' }]));
  const events = await jobs.events(job.id, 0);
  t.deepEqual(
    events.flatMap((event) => (event.type === 'tokens' ? event.ids : [])),
    [1, 2],
  );
});

test('a job whose creation was carried out unheard counts as created', async (t) => {
  const { jobs, loseNextReply } = await lossyStore(t);
  await jobs.create(newJob()); // the scripts are known from here on
  loseNextReply();
  t.is((await jobs.create(newJob())).outcome, 'created');
  loseNextReply();
  const idempotency = { key: 'k', bodySha256: 'b' };
  t.is((await jobs.create(newJob({}, { idempotency }))).outcome, 'created');
});

test('a claim whose reply was lost is one claim, and no loss of a worker', async (t) => {
  const { jobs, loseNextReply } = await lossyStore(t);
  const [known, job] = [newJob(), newJob()];
  for (const each of [known, job]) await jobs.create(each);
  await jobs.claim(known.id, 'one'); // the script is known from here on
  loseNextReply();
  t.like(await jobs.claim(job.id, 'one'), { fence: 1, losses: 0 });
  t.like(await jobs.claim(job.id, 'one'), { fence: 2, losses: 1 });
});

test('a claim whose reply was lost takes nothing from who has claimed the job since', async (t) => {
  const { jobs: others, redis, prefix } = testStore(t);
  const { jobs, loseNextReply } = await lossyStore(t, prefix, 300);
  const [known, job] = [newJob(), newJob()];
  for (const each of [known, job]) await others.create(each);
  await jobs.claim(known.id, 'one');
  loseNextReply();
  const unheard = jobs.claim(job.id, 'one');
  await eventually(async () => (await redis.hget(`${prefix}:job:${job.id}`, 'fence')) === '1');
  const later = await others.claim(job.id, 'two');
  const claim = await unheard;
  t.deepEqual([claim?.fence, later?.fence], [1, 2]);
  t.false(await jobs.append(job.id, claim!.fence, [{ type: 'stage', stage: 'prefill', ms: 1 }]));
  t.true(await others.append(job.id, later!.fence, [{ type: 'stage', stage: 'prefill', ms: 1 }]));
});

test('notes whose replies were lost are in the stream once each, those that came between too', async (t) => {
  const { jobs, loseNextReply } = await lossyStore(t);
  const job = newJob();
  await jobs.create(job);
  await jobs.note(job.id, { stage: 'waiting_for_encoder' });
  loseNextReply();
  await Promise.all([
    jobs.note(job.id, { stage: 'encoding', detail: { batch: 1 } }),
    jobs.note(job.id, { stage: 'stored' }),
  ]);
  await jobs.note(job.id, { stage: 'encoding', detail: { batch: 1 } }); // another encoder's
  t.deepEqual(
    (await jobs.events(job.id, 2)).map((event) => event.type === 'stage' && event.stage),
    ['encoding', 'stored', 'encoding'],
  );
});

/** A claimed job, and a store that loses its next reply; the scripts are known. */
async function aboutToEndUnheard(t: ExecutionContext) {
  const { jobs, loseNextReply } = await lossyStore(t);
  const [known, job] = [newJob(), newJob()];
  for (const each of [known, job]) await jobs.create(each);
  await jobs.finish(known.id, completed('a'));
  const claim = await jobs.claim(job.id, 'one');
  loseNextReply();
  return { jobs, job, claim };
}

test('who has ended a job and lost the reply learns that it was its own ending', async (t) => {
  const { jobs, job, claim } = await aboutToEndUnheard(t);
  t.true(await jobs.finish(job.id, completed('a'), claim!.fence));
  t.is((await jobs.events(job.id, 0)).filter(({ type }) => type === 'end').length, 1);
});

test('what came with an ending whose reply was lost is in the stream once', async (t) => {
  const { jobs, job, claim } = await aboutToEndUnheard(t);
  const last = [{ type: 'tokens', choice: 0, ids: [1], text: 'a' }] as const;
  t.true(await jobs.finish(job.id, completed('a'), claim!.fence, last));
  t.deepEqual(
    (await jobs.events(job.id, 1)).map(({ type }) => type),
    ['tokens', 'end'],
  );
});

test('a listener whose way to the server was cut without a word hears of jobs again', async (t) => {
  const { redis, silence } = await lossyRedis(t, { socketTimeout: 400 });
  const jobs = new RedisJobStore({ redis, prefix: testPrefix() });
  t.teardown(() => jobs.close());
  const ended: string[] = [];
  await jobs.onEnded((id) => ended.push(id));
  silence();
  const heard = await eventually(async () => {
    const job = newJob();
    await jobs.create(job);
    await jobs.finish(job.id, completed('a'));
    return ended.length > 0;
  });
  t.true(heard);
});
