import test from 'ava';
import { goldenCases, goldenJob } from '../helpers/golden.ts';
import { ask } from '../helpers/jobs.ts';
import { sharedFleet } from '../helpers/shared-fleet.ts';

test("every golden question gets the reference's tokens over HTTP, Redis and S3", async (t) => {
  const { url } = await sharedFleet(t);
  const jobs = await Promise.all(goldenCases.map((golden) => ask(url, goldenJob(golden))));
  for (const [i, job] of jobs.entries()) {
    t.is(job.status, 'completed', JSON.stringify(job.error));
    t.deepEqual(job.output?.token_ids, goldenCases[i]?.token_ids, `case ${i}`);
    t.is(job.output?.text.trimStart(), goldenCases[i]?.answer);
  }
});
