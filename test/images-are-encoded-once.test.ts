import test from 'ava';
import { startFleet } from './helpers/fleet.ts';
import { goldenCases, goldenJob } from './helpers/golden.ts';
import { ask } from './helpers/jobs.ts';

const golden = goldenCases.find(({ images }) => images.length === 1)!;

test.serial(
  'a second question about a picture does not encode it again, also after every worker was restarted',
  async (t) => {
    t.timeout(90_000);
    const fleet = await startFleet(t);
    const first = await ask(fleet.url, goldenJob(golden));
    t.deepEqual(first.usage?.images, { encoded: 1, reused: 0 });
    const second = await ask(fleet.url, goldenJob(golden));
    t.deepEqual(second.usage?.images, { encoded: 0, reused: 1 });
    for (const role of ['encoder', 'prefill-decode'] as const) {
      await fleet.processes(role)[0]?.stop();
      fleet.start(role);
    }
    const third = await ask(fleet.url, goldenJob(golden));
    t.deepEqual(third.usage?.images, { encoded: 0, reused: 1 });
    t.deepEqual(third.output?.token_ids, golden.token_ids);
  },
);
