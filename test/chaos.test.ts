import test from 'ava';
import { tempFolder } from '@epd/service/testing';
import { makePlan } from '../ops/chaos/plans/plan.ts';
import { isClean, markdown } from '../ops/chaos/report.ts';
import { runPlan } from '../ops/chaos/run.ts';

const SHORT = { seed: 1, faults: 12, jobsPerFault: 5 };

test('the same seed makes the same plan, another one another', (t) => {
  t.deepEqual(makePlan(SHORT), makePlan(SHORT));
  t.notDeepEqual(makePlan(SHORT), makePlan({ ...SHORT, seed: 2 }));
  t.is(new Set(makePlan(SHORT).map(({ fault }) => fault.kind)).size, 12);
});

test.serial(
  'twelve faults, one of each kind: no job lost, wrong or ended twice, no stream broken, nothing left behind',
  async (t) => {
    t.timeout(600_000);
    const outcome = await runPlan({
      command: 'npm run chaos -- --seed 1 --faults 12 --jobs-per-fault 5',
      steps: makePlan(SHORT),
      folder: await tempFolder(t),
      say: (line) => t.log(line),
      signal: new AbortController().signal,
    });
    t.true(isClean(outcome), markdown(outcome));
  },
);
