import test from 'ava';
import { aWhile, startFleet, type Fleet } from './helpers/fleet.ts';
import { goldenCases, goldenJob } from './helpers/golden.ts';
import { ended, submit, type JobView } from './helpers/jobs.ts';

const JOBS = 200;

/** The golden questions over and over: pictures unique and repeated, several at once, text alone. */
const mix = Array.from({ length: JOBS }, (_, i) => goldenCases[(i * 7) % goldenCases.length]!);
const distinctImages = new Set(mix.flatMap(({ images }) => images)).size;

async function submitMix({ url }: Fleet): Promise<string[]> {
  const jobs = await Promise.all(mix.map((golden) => submit(url, goldenJob(golden))));
  return jobs.map(({ id }) => id);
}

const endings = ({ url }: Fleet, ids: readonly string[]): Promise<JobView[]> =>
  Promise.all(ids.map((id) => ended(url, id, 150_000)));

const wrong = (jobs: readonly JobView[]): unknown[] =>
  jobs.flatMap((job, i) =>
    JSON.stringify(job.output?.token_ids) === JSON.stringify(mix[i]?.token_ids)
      ? []
      : [
          {
            id: job.id,
            status: job.status,
            error: job.error,
            output: job.output,
            expected: mix[i],
          },
        ],
  );

const encodes = (jobs: readonly JobView[]): number =>
  jobs.reduce((sum, { usage }) => sum + (usage?.images.encoded ?? 0), 0);

test.serial(
  '200 mixed jobs at once on two encoders and two PD workers: all right, each image encoded once',
  async (t) => {
    t.timeout(180_000);
    const fleet = await startFleet(t, { encoders: 2, pds: 2 });
    const jobs = await endings(fleet, await submitMix(fleet));
    t.deepEqual(wrong(jobs), []);
    t.is(encodes(jobs), distinctImages);
  },
);

test.serial('every worker told to stop in the middle of that: all still right', async (t) => {
  t.timeout(180_000);
  const fleet = await startFleet(t, { encoders: 2, pds: 2 });
  const ids = await submitMix(fleet);
  for (const role of ['encoder', 'prefill-decode'] as const) {
    for (const old of fleet.processes(role).slice(0, 2)) {
      fleet.start(role);
      await aWhile(300);
      t.is(await old.stop('SIGTERM'), 0);
    }
  }
  const jobs = await endings(fleet, ids);
  t.deepEqual(wrong(jobs), []);
});

test.serial(
  'the API is stopped in the middle: its jobs continue, and another process answers for them',
  async (t) => {
    t.timeout(180_000);
    const fleet = await startFleet(t);
    const ids = await submitMix(fleet);
    const [api] = fleet.processes('api');
    t.is(await api?.stop('SIGTERM'), 0);
    fleet.start('api');
    const jobs = await endings(fleet, ids);
    t.deepEqual(wrong(jobs), []);
  },
);
