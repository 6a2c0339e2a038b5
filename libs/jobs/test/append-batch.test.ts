import test, { type ExecutionContext } from 'ava';
import { newJob, testStore } from './helpers/store.ts';

const tokens = (text: string) => ({ type: 'tokens', choice: 0, ids: [1], text }) as const;

async function claimed(t: ExecutionContext, count: number) {
  const store = testStore(t);
  const claims = [];
  for (let index = 0; index < count; index += 1) {
    const job = newJob();
    await store.jobs.create(job);
    claims.push({ id: job.id, fence: (await store.jobs.claim(job.id, 'worker'))?.fence ?? 0 });
  }
  return { ...store, claims };
}

test('appends of one tick are one command, each with its own events', async (t) => {
  const { jobs, redis, claims } = await claimed(t, 70);
  let commands = 0;
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (...command) => {
    commands += 1;
    return send(...command);
  };
  const kept = await Promise.all(
    claims.map(({ id, fence }) => jobs.append(id, fence, [tokens(id), tokens('more')])),
  );
  t.true(kept.every(Boolean));
  t.is(commands, 2, 'at most 64 jobs go into one');
  for (const { id } of claims) {
    const [, first, second] = await jobs.events(id, 0);
    t.like(first, { seq: 2, text: id });
    t.like(second, { seq: 3, text: 'more' });
  }
});

test('of appends that go together, a refused and a failed one are no other’s', async (t) => {
  const { jobs, redis, prefix, claims } = await claimed(t, 3);
  const [good, late, damaged] = claims as [Claimed, Claimed, Claimed];
  await jobs.claim(late.id, 'another worker');
  await redis.set(`${prefix}:job:${damaged.id}:events`, 'no stream');
  const outcomes = await Promise.allSettled(
    [damaged, late, good].map(({ id, fence }) => jobs.append(id, fence, [tokens('a')])),
  );
  t.like(outcomes[0], { status: 'rejected' });
  t.regex(String((outcomes[0] as PromiseRejectedResult).reason), /^ReplyError: WRONGTYPE/);
  t.deepEqual(outcomes.slice(1), [
    { status: 'fulfilled', value: false },
    { status: 'fulfilled', value: true },
  ]);
  t.like((await jobs.events(good.id, 1))[0], { type: 'tokens', text: 'a' });
});

interface Claimed {
  readonly id: string;
  readonly fence: number;
}
