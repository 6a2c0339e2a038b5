import { setTimeout as sleep } from 'node:timers/promises';
import { RedisJobStore } from '@epd/jobs';
import { eventually } from '@epd/service/testing';
import test from 'ava';
import type { World } from '../ops/chaos/world/world.ts';
import { goldenCases, goldenJob } from './helpers/golden.ts';
import { ask, ended, submit } from './helpers/jobs.ts';
import { startWorld } from './helpers/world.ts';

const LOCK_MS = 1_500;
const WITHIN_MS = 150_000;
const ONE_OF_EACH = { apis: 1, encoders: 1, pds: 1 };

const golden = goldenCases.find(({ images }) => images.length === 1)!;
const long = { ...goldenJob(golden), ignore_eos: true, max_tokens: 600 };

/** Tokens in the order of the job's stream; the stream is checked to be whole. */
async function streamedTokens({ redis, prefix }: World, id: string): Promise<number[]> {
  const jobs = new RedisJobStore({ redis, prefix });
  const events = await jobs.events(id, 0);
  await jobs.close();
  if (events.some(({ seq }, index) => seq !== index + 1)) throw new Error('The stream has gaps');
  if (events.filter(({ type }) => type === 'end').length > 1) throw new Error('It ended twice');
  return events.flatMap((event) => (event.type === 'tokens' ? event.ids : []));
}

test.serial('a step that hangs ends its process; another resumes the job', async (t) => {
  t.timeout(240_000);
  const env = {
    EPD_LOCK_MS: String(LOCK_MS),
    EPD_FAULT_HANG_AT_STEP: '150',
    EPD_PD_RUN_TIMEOUT_MS: '3000',
  };
  const world = await startWorld(t, { ...ONE_OF_EACH, env });
  const pd = world.process('pd-1');
  pd.setEnvironment({ EPD_FAULT_HANG_AT_STEP: '0' }); // from its next start on
  const [url = ''] = world.urls;
  const { id } = await submit(url, long);
  const job = await ended(url, id, WITHIN_MS);
  t.is(job.status, 'completed', JSON.stringify(job.error));
  t.is(pd.deaths, 1);
  t.deepEqual(await streamedTokens(world, id), job.output?.token_ids);
  const calm = await ask(url, long);
  t.deepEqual(job.output?.token_ids, calm.output?.token_ids);
});

test.serial(
  'a worker paused for longer than its lock writes nothing more: another has gone on',
  async (t) => {
    t.timeout(240_000);
    const world = await startWorld(t, {
      ...ONE_OF_EACH,
      pds: 2,
      env: { EPD_LOCK_MS: String(LOCK_MS) },
    });
    const [url = ''] = world.urls;
    const calm = await ask(url, long);
    const { id } = await submit(url, long);
    await eventually(async () => (await streamedTokens(world, id)).length > 20);
    const holder = await holderOf(world, id);
    holder.pause();
    const job = await ended(url, id, WITHIN_MS);
    holder.resume();
    await sleep(LOCK_MS);
    await world.ready(WITHIN_MS);
    t.deepEqual(job.output?.token_ids, calm.output?.token_ids);
    t.deepEqual(await streamedTokens(world, id), job.output?.token_ids);
    t.is(holder.deaths, 0);
    t.deepEqual((await ask(url, long)).output?.token_ids, calm.output?.token_ids);
  },
);

/** The process whose claim the record names: workers' names have their pid. */
async function holderOf(world: World, id: string) {
  const worker = String(await world.redis.hget(`${world.prefix}:job:${id}`, 'worker'));
  const holder = world.named('pd').find(({ pid }) => worker.includes(`-${pid}-`));
  if (holder === undefined) throw new Error(`Nobody is ${worker}`);
  return holder;
}
