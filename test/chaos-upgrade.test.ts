import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { playClient, type ClientRecord } from '../ops/chaos/clients/client.ts';
import { makePlan, type PlannedJob } from '../ops/chaos/plans/plan.ts';
import { ended } from './helpers/jobs.ts';
import { startWorld } from './helpers/world.ts';
import { goldenCases } from './helpers/golden.ts';

const EVERY_MS = 120;
const WITHIN_MS = 150_000;

const kinds = new Set(['text', 'image', 'images', 'repeated', 'unique']);
const mix = makePlan({ seed: 5, faults: 40, jobsPerFault: 10 })
  .flatMap(({ jobs }) => jobs)
  .filter(({ kind }) => kinds.has(kind));

test.serial(
  'every process of the fleet is replaced while jobs come in: all are answered, and right',
  async (t) => {
    t.timeout(400_000);
    const world = await startWorld(t);
    const over = new AbortController();
    const clients = submitSteadily(world.urls, mix, over.signal);
    for (const process of world.named('api', 'encoder', 'pd')) {
      t.is(await process.restart(), 0, `${process.name} did not stop cleanly`);
      await sleep(400);
      await world.ready(WITHIN_MS);
    }
    over.abort();
    const records = await clients;
    t.true(records.length > 20, `${records.length} jobs only`);
    for (const { job, id, problem } of records) {
      t.is(problem, null);
      const answered = await ended(world.urls[0]!, id!, WITHIN_MS);
      t.is(answered.status, 'completed', JSON.stringify(answered.error));
      t.deepEqual(answered.output?.token_ids, goldenCases[job.case]?.token_ids);
    }
  },
);

async function submitSteadily(
  urls: readonly string[],
  jobs: readonly PlannedJob[],
  signal: AbortSignal,
): Promise<ClientRecord[]> {
  const clients: Promise<ClientRecord>[] = [];
  for (const job of jobs) {
    if (signal.aborted) break;
    clients.push(playClient(urls, { ...job, roll: job.number * 5 + 1 }, signal));
    await sleep(EVERY_MS);
  }
  return Promise.all(clients);
}
