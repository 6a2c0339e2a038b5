import test from 'ava';
import { startFleet } from './helpers/fleet.ts';
import { goldenCases, goldenJob } from './helpers/golden.ts';
import { ask } from './helpers/jobs.ts';

for (const decoder of ['', 'eager']) {
  const graph = decoder === '' ? 'fused' : decoder;
  test.serial(
    `every golden question gets the reference's tokens over HTTP, Redis and S3 (${graph} decoder)`,
    async (t) => {
      t.timeout(180_000);
      const fleet = await startFleet(t, { store: 's3', env: { EPD_DECODER: decoder } });
      const jobs = await Promise.all(
        goldenCases.map((golden) => ask(fleet.url, goldenJob(golden))),
      );
      for (const [i, job] of jobs.entries()) {
        t.is(job.status, 'completed', JSON.stringify(job.error));
        t.deepEqual(job.output?.token_ids, goldenCases[i]?.token_ids, `case ${i}`);
        t.is(job.output?.text.trimStart(), goldenCases[i]?.answer);
      }
    },
  );
}
