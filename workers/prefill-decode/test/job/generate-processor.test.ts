import { Reconciler, type SequencedEvent } from '@epd/jobs';
import { eventually } from '@epd/service/testing';
import { outputFormat } from '@epd/model';
import test from 'ava';
import { Registry } from 'prom-client';
import { AnswerValidator } from '../../src/constraint/answer-validator.ts';
import { HeldJob } from '../../src/job/held-job.ts';
import { WritePace } from '../../src/job/write-pace.ts';
import { takeoverCount } from '../../src/metrics.ts';
import { startEngine } from '../helpers/engine.ts';
import { processorFor, queued, testJobs, work, type TestJobs } from '../helpers/processor.ts';

const LONG = { ignoreEos: true, maxTokens: 400 };

const tokensOf = (events: readonly SequencedEvent[]): number[] =>
  events.flatMap((event) => (event.type === 'tokens' ? event.ids : []));

test('a worker that is given a job which it still holds continues it, and emits nothing twice', async (t) => {
  const fleet = testJobs(t);
  const engine = await startEngine(t);
  const processor = processorFor(fleet, engine, 'one');
  const id = await fleet.submit(LONG);
  const job = await queued(fleet, id);
  const first = processor.process(job);
  await eventually(async () => tokensOf(await fleet.jobs.events(id, 0)).length > 5);
  const second = processor.process(job); // its lock had run out while it was paused
  await Promise.all([first, second]);
  const { ending } = await fleet.ended(id);
  t.is(ending?.status, 'completed', JSON.stringify(ending?.error));
  t.deepEqual(tokensOf(await fleet.jobs.events(id, 0)), [...(ending?.choices[0]?.tokenIds ?? [])]);
  t.is(processor.held, 0);
});

test('a job that finds the engine full is returned to the queue and served later', async (t) => {
  const fleet = testJobs(t);
  const engine = await startEngine(t, { maxHeld: 1 });
  work(t, fleet, processorFor(fleet, engine, 'one'));
  const ids = [await fleet.submit(LONG), await fleet.submit(LONG)];
  for (const id of ids) t.is((await fleet.ended(id)).status, 'completed');
});

test('a job that finds the engine closed is left to another worker', async (t) => {
  const fleet = testJobs(t);
  const closed = await startEngine(t);
  await closed.close();
  const id = await fleet.submit();
  const closing = processorFor(fleet, closed, 'closing');
  work(t, fleet, closing);
  await eventually(
    async () => Number(await fleet.redis.hget(`${fleet.prefix}:job:${id}`, 'handedBack')) > 0,
  );
  closing.handBackAll();
  work(t, fleet, processorFor(fleet, await startEngine(t), 'other'));
  t.is((await fleet.ended(id)).status, 'completed');
});

test('a job that workers are lost with again and again fails, and is not served for ever', async (t) => {
  const fleet = testJobs(t);
  const id = await fleet.submit();
  for (let losses = 0; losses < 5; losses += 1) await fleet.jobs.claim(id, `lost-${losses}`);
  work(t, fleet, processorFor(fleet, await startEngine(t), 'one'));
  const { ending } = await fleet.ended(id);
  t.is(ending?.status, 'failed');
  t.is(ending?.error?.code, 'worker_lost');
});

test('a job whose writes Redis refuses is returned to the queue, which is no loss', async (t) => {
  const fleet = testJobs(t);
  const id = await fleet.submit();
  const append = fleet.jobs.append.bind(fleet.jobs);
  const handBack = fleet.jobs.handBack.bind(fleet.jobs);
  const refuse = (then: object) => (): Promise<never> => {
    Object.assign(fleet.jobs, then); // the next write is taken
    return Promise.reject(new Error('OOM command not allowed'));
  };
  Object.assign(fleet.jobs, { append: refuse({ append }), handBack: refuse({ handBack }) });
  work(t, fleet, processorFor(fleet, await startEngine(t), 'one'));
  t.is((await fleet.ended(id)).status, 'completed');
  const [fence, back] = await fleet.redis.hmget(`${fleet.prefix}:job:${id}`, 'fence', 'handedBack');
  t.deepEqual([fence, back], ['2', '1']);
});

test('of the jobs that workers were lost with, one at a time is served; the others all the same', async (t) => {
  const fleet = testJobs(t);
  const suspects = [await fleet.submit(LONG), await fleet.submit(LONG)];
  for (const id of suspects)
    for (let losses = 0; losses < 2; losses += 1) await fleet.jobs.claim(id, `lost-${losses}`);
  const engine = await startEngine(t);
  const processor = processorFor(fleet, engine, 'one');
  work(t, fleet, processor);
  const other = await fleet.submit(LONG);
  await eventually(() => processor.held === 2);
  for (const id of [...suspects, other]) t.is((await fleet.ended(id)).status, 'completed');
});

test('a job that another worker had is counted as taken over, by how that worker released it', async (t) => {
  const fleet = testJobs(t);
  const registry = new Registry();
  const [fresh, own, returned, lost, suspect] = await Promise.all(
    Array.from({ length: 5 }, () => fleet.submit()),
  );
  for (const [id, worker] of [
    [own!, 'one'],
    [returned!, 'stops'],
  ] as const) {
    const claim = await fleet.jobs.claim(id, worker);
    await fleet.jobs.handBack(id, claim!.fence);
  }
  // A suspect is claimed twice, the second time from itself.
  for (const id of [lost!, suspect!, suspect!]) await fleet.jobs.claim(id, 'dies');
  const onTakeover = takeoverCount(registry);
  work(t, fleet, processorFor(fleet, await startEngine(t), 'one', { onTakeover }));
  for (const id of [fresh!, own!, returned!, lost!, suspect!]) await fleet.ended(id);
  const text = await registry.metrics();
  t.regex(text, /^epd_job_takeovers_total\{after="hand_back"\} 1$/m);
  t.regex(text, /^epd_job_takeovers_total\{after="loss"\} 2$/m);
});

test('what a job held is released by the next worker when the one that ended it died before', async (t) => {
  const fleet = testJobs(t);
  const id = await fleet.submit();
  const job = await queued(fleet, id);
  const claim = await fleet.jobs.claim(id, 'dies');
  const error = { code: 'x', message: 'x', stage: 'prefill', item: null, retryable: false };
  const ending = { status: 'failed', choices: [], usage: null, timings: {}, error } as const;
  await fleet.jobs.finish(id, ending, claim?.fence);
  const over: string[] = [];
  const next = processorFor(fleet, await startEngine(t), 'next', {
    onOver: async (each) => {
      over.push(each.id);
    },
  });
  await next.process(job);
  t.deepEqual(over, [id]);
});

test('an engine holds nothing of a job once the job is released', async (t) => {
  const fleet = testJobs(t);
  const engine = await startEngine(t);
  let held = Number.NaN;
  const processor = processorFor(fleet, engine, 'one', {
    onOver: async () => {
      held = engine.stats().waiting + engine.stats().running;
    },
  });
  const id = await fleet.submit(LONG);
  const processed = processor.process(await queued(fleet, id));
  await eventually(async () => tokensOf(await fleet.jobs.events(id, 0)).length > 5);
  processor.ended(id);
  await processed;
  t.is(held, 0);
});

test('a job of another version waits for a worker that knows it', async (t) => {
  const fleet = testJobs(t);
  const [message, record, known] = [
    await fleet.submit(),
    await fleet.submit(),
    await fleet.submit(),
  ];
  const foreign = await queued(fleet, message);
  await foreign.updateData({ ...foreign.data, v: 2 });
  await fleet.redis.hset(`${fleet.prefix}:job:${record}`, 'v', '2');
  work(t, fleet, processorFor(fleet, await startEngine(t), 'one'));
  t.is((await fleet.ended(known)).status, 'completed');
  for (const id of [message, record]) t.is((await fleet.jobs.get(id))?.status, 'queued');
  await foreign.updateData({ ...foreign.data, v: 1 });
  await fleet.redis.hset(`${fleet.prefix}:job:${record}`, 'v', '1');
  for (const id of [message, record]) t.is((await fleet.ended(id)).status, 'completed');
});

test('a job whose record is damaged fails at once, and its followers are notified', async (t) => {
  const fleet = testJobs(t);
  const damaged = await fleet.submit();
  await fleet.redis.hset(`${fleet.prefix}:job:${damaged}`, 'request', '{"cut');
  const told = Promise.withResolvers<unknown>();
  await fleet.jobs.subscribe(
    damaged,
    (event) => event.type === 'end' && told.resolve(event.status),
  );
  work(t, fleet, processorFor(fleet, await startEngine(t), 'one'));
  t.is(await told.promise, 'failed');
  t.is((await fleet.ended(damaged)).ending?.error?.code, 'record_unreadable');
  await eventually(async () => (await fleet.queue.getJobState(damaged)) === 'unknown');
});

test('a damaged message is dropped; put back by the reconciler its job is served', async (t) => {
  const fleet = testJobs(t);
  const { redis, prefix, jobs } = fleet;
  const id = await fleet.submit();
  await (await queued(fleet, id)).updateData({ v: 1 });
  work(t, fleet, processorFor(fleet, await startEngine(t), 'one'));
  await eventually(async () => (await fleet.queue.getJobState(id)) === 'unknown');
  t.is((await jobs.get(id))?.status, 'queued');
  await redis.zadd(`${prefix}:jobs:live`, Date.now() - 60_000, id);
  const reconciler = new Reconciler({ redis, prefix, jobs });
  await reconciler.runOnce();
  t.is((await fleet.ended(id)).status, 'completed');
  await reconciler.stop();
});

test('the times of a job count from its acceptance, whatever it waited for', async (t) => {
  const fleet = testJobs(t);
  const engine = await startEngine(t);
  const id = await fleet.submit();
  const { createdAtMs } = (await fleet.jobs.get(id))!;
  await eventually(() => Date.now() - createdAtMs > 100); // no worker yet
  work(t, fleet, processorFor(fleet, engine, 'one'));
  const { startedAtMs, ending } = await fleet.ended(id);
  const { queueMs = 0, ttftMs = 0, totalMs = 0 } = ending!.timings;
  t.true(queueMs >= startedAtMs! - createdAtMs);
  t.true(ttftMs >= queueMs);
  t.true(totalMs >= ttftMs - 1); // it is rounded
});

/**
 * A job that another worker held for a while and returned to the queue, with what it emitted
 * meanwhile.
 */
async function handedBack(fleet: TestJobs, emitted: readonly number[]) {
  const id = await fleet.submit();
  const claim = await fleet.jobs.claim(id, 'drains');
  const heldMs = 150;
  const heldUntil = performance.now() + heldMs;
  if (emitted.length > 0) {
    const tokens = { type: 'tokens', choice: 0, ids: emitted, text: '' } as const;
    await fleet.jobs.append(id, claim!.fence, [tokens]);
  }
  await eventually(() => performance.now() > heldUntil);
  await fleet.jobs.handBack(id, claim!.fence);
  return { id, heldMs };
}

test('the first token of a job that was returned to the queue counts from acceptance', async (t) => {
  const fleet = testJobs(t);
  const { id, heldMs } = await handedBack(fleet, []);
  work(t, fleet, processorFor(fleet, await startEngine(t), 'next'));
  const { ttftMs = 0, queueMs = 0 } = (await fleet.ended(id)).ending!.timings;
  t.true(queueMs >= heldMs, `queued for ${queueMs} ms`);
  t.true(ttftMs >= queueMs);
});

test('a job that another worker resumes was not queued while the first one answered it', async (t) => {
  const fleet = testJobs(t);
  const { id, heldMs } = await handedBack(fleet, [1]);
  await eventually(async () => (await waitedSince(fleet, id)) > 100); // no worker
  work(t, fleet, processorFor(fleet, await startEngine(t), 'next'));
  const { queueMs = 0, totalMs = 0, ttftMs } = (await fleet.ended(id)).ending!.timings;
  t.true(queueMs >= 100, `queued for ${queueMs} ms`);
  t.true(queueMs + heldMs <= totalMs + 2); // both are rounded
  t.is(ttftMs, undefined);
});

const waitedSince = async ({ redis, prefix }: TestJobs, id: string): Promise<number> =>
  Date.now() - Number(await redis.hget(`${prefix}:job:${id}`, 'waitingSinceMs'));

for (const sharePrefixes of [false, true]) {
  const learns = sharePrefixes ? 'where the operator shares prefixes' : 'otherwise not';
  test(`a tenant is told that another's prompt is cached ${learns}`, async (t) => {
    const fleet = testJobs(t);
    work(t, fleet, processorFor(fleet, await startEngine(t), 'one', { sharePrefixes }));
    const cached = async (tenant: string): Promise<number> => {
      const { ending } = await fleet.ended(await fleet.submit({ maxTokens: 2 }, tenant));
      return ending?.usage?.cachedTokens ?? -1;
    };
    t.is(await cached('victim'), 0);
    t.true((await cached('victim')) > 0);
    if (sharePrefixes) t.true((await cached('attacker')) > 0);
    else t.is(await cached('attacker'), 0);
  });
}

test('a job that tokens of another revision were emitted for waits for that revision, and ends when it stays away', async (t) => {
  const fleet = testJobs(t);
  const engine = await startEngine(t);
  const id = await fleet.submit(LONG);
  const job = await queued(fleet, id);
  const old = processorFor(fleet, engine, 'old', { revision: 'old' });
  const begun = old.process(job).catch(() => undefined);
  await eventually(async () => tokensOf(await fleet.jobs.events(id, 0)).length > 3);
  old.handBackAll();
  await begun;
  const said = tokensOf(await fleet.jobs.events(id, 0)).length;
  const other = processorFor(fleet, engine, 'other', { revision: 'new' });
  await t.throwsAsync(other.process(await queued(fleet, id)));
  t.is(tokensOf(await fleet.jobs.events(id, 0)).length, said);
  t.is((await fleet.jobs.get(id))?.ending, null);
  await fleet.redis.hincrby(`${fleet.prefix}:job:${id}`, 'handedBack', 60);
  await fleet.redis.hincrby(`${fleet.prefix}:job:${id}`, 'fence', 60);
  await other.process(await queued(fleet, id));
  const { ending } = (await fleet.jobs.get(id))!;
  t.like(ending, { status: 'failed', error: { code: 'model_changed', retryable: true } });
});

test('a job that was begun, and of which nothing was emitted, may be answered by any revision', async (t) => {
  const fleet = testJobs(t);
  const id = await fleet.submit({ maxTokens: 3 });
  const claim = await fleet.jobs.claim(id, 'one', 'old');
  await fleet.jobs.append(id, claim?.fence ?? 0, [{ type: 'stage', stage: 'prefill', ms: 1 }]);
  await fleet.jobs.handBack(id, claim?.fence ?? 0);
  work(t, fleet, processorFor(fleet, await startEngine(t), 'two', { revision: 'new' }));
  t.is((await fleet.ended(id)).status, 'completed');
});

test('text that an end token releases is sent once, whoever resumes before the ending is written', async (t) => {
  const fleet = testJobs(t);
  const id = await fleet.submit();
  const token = { type: 'tokens', id, choice: 0, ids: [5], text: 'a' } as const;
  const last = { type: 'tokens', id, choice: 0, ids: [], text: '.' } as const;
  const held = async (worker: string): Promise<HeldJob> =>
    new HeldJob((await fleet.jobs.claim(id, worker))!, fleet.jobs, {
      validator: new AnswerValidator(),
      format: outputFormat(''),
      pace: new WritePace(() => 1),
    });
  const first = await held('first');
  first.take(token);
  first.take(last);
  await first.flush(); // it is lost before the engine has said that the answer is finished
  const second = await held('second');
  second.take(last);
  const choices = [{ text: 'a.', finishReason: 'stop', tokenIds: [5] }] as const;
  const usage = { promptTokens: 1, completionTokens: 1, cachedTokens: 0 };
  second.take({ type: 'finished', id, choices, usage, timings: {}, images: [] });
  t.is(await second.released, 'ended');
  const events = await fleet.jobs.events(id, 0);
  const text = events.map((event) => (event.type === 'tokens' ? event.text : '')).join('');
  t.is(text, 'a.');
});

test('a job that is claimed while its worker stops is returned and not begun', async (t) => {
  const fleet = testJobs(t);
  const id = await fleet.submit(LONG);
  const claim = fleet.jobs.claim.bind(fleet.jobs);
  const processor = processorFor(fleet, await startEngine(t), 'stopping');
  const slow: typeof claim = async (...args) => {
    const claimed = await claim(...args);
    Object.assign(fleet.jobs, { claim });
    processor.handBackAll(); // as its time is over
    return claimed;
  };
  Object.assign(fleet.jobs, { claim: slow });
  work(t, fleet, processor);
  await eventually(
    async () => Number(await fleet.redis.hget(`${fleet.prefix}:job:${id}`, 'handedBack')) > 0,
  );
  work(t, fleet, processorFor(fleet, await startEngine(t), 'other'));
  t.is((await fleet.ended(id)).status, 'completed');
});
