import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@epd/service/testing';
import test from 'ava';
import { goldenCases, goldenJob } from './helpers/golden.ts';
import { ask, ended, submit } from './helpers/jobs.ts';
import { startWorld } from './helpers/world.ts';

/** Longer than a process may wait for its start anywhere else. */
const AWAY_MS = 14_000;
const WITHIN_MS = 120_000;

const golden = goldenCases.find(({ images }) => images.length === 1)!;

const SERVICES = ['api-1', 'encoder-1', 'pd-1'] as const;

test.serial(
  'Redis and S3 away, at the start and later: processes wait, say so, and come back by themselves',
  async (t) => {
    t.timeout(300_000);
    const world = await startWorld(t, { apis: 1, encoders: 1, pds: 1 });
    const [url = ''] = world.urls;
    const processes = SERVICES.map((name) => world.process(name));
    const allReady = async (expected: boolean): Promise<boolean> =>
      (await Promise.all(processes.map((each) => each.isReady()))).every((is) => is === expected);

    await world.redisProxy.setMode('refuse');
    await world.s3Proxy.setMode('refuse');
    for (const process of processes) process.kill(); // they start again with neither
    await eventually(() => processes.every(({ pid }) => pid !== null));
    await sleep(AWAY_MS);
    t.true(await allReady(false));
    const deaths = processes.map((process) => process.deaths);
    await world.redisProxy.setMode('pass');
    await world.s3Proxy.setMode('pass');
    await world.ready(WITHIN_MS);
    t.deepEqual(
      processes.map((process) => process.deaths),
      deaths,
    );

    const { id } = await submit(url, goldenJob(golden));
    await world.redisProxy.setMode('refuse');
    t.true(await eventually(() => allReady(false), { withinMs: 30_000 }));
    const refused = await fetch(`${url}/v1/jobs/${id}`);
    t.is(refused.status, 503);
    await world.redisProxy.setMode('pass');
    await world.ready(WITHIN_MS);
    t.deepEqual((await ended(url, id, WITHIN_MS)).output?.token_ids, golden.token_ids);

    // Without its store an encoder can do nothing; text is answered all the same.
    const readiness = async (): Promise<boolean[]> =>
      Promise.all(processes.map((each) => each.isReady()));
    await world.s3Proxy.setMode('silent');
    await eventually(async () => (await readiness())[1] === false, { withinMs: 30_000 });
    t.deepEqual(await readiness(), [true, false, true]);
    await world.s3Proxy.setMode('pass');
    await world.ready(WITHIN_MS);
    t.deepEqual((await ask(url, goldenJob(golden))).output?.token_ids, golden.token_ids);
    t.deepEqual(
      processes.flatMap(({ surprises }) => surprises),
      [],
    );
  },
);
