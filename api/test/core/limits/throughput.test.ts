import { withClock } from '@epd/connector/testing';
import type { AdmittedWork } from '@epd/jobs';
import test from 'ava';
import { Throughput } from '../../../src/core/limits/throughput.ts';

const EMPTY: AdmittedWork = { total: 0, count: 0, endedCost: 0, endedCount: 0, busyMs: 0 };

/** A throughput that is shown these states of the account, one a look, seconds apart. */
async function pace(...states: readonly Partial<AdmittedWork>[]): Promise<number | null> {
  let looks = 0;
  const work = () => Promise.resolve({ ...EMPTY, ...states[looks++] });
  const throughput = new Throughput({ work });
  let costPerS: number | null = null;
  for (const [index] of states.entries()) {
    ({ costPerS } = await withClock(0, () => throughput.look(), index * 2_000));
  }
  return costPerS;
}

test.serial('the pace is what has ended over the time in which there was work', async (t) => {
  t.is(await pace({}, { busyMs: 10_000, endedCost: 500 }), 50);
  t.is(await pace({ busyMs: 7 }, { busyMs: 7 }, { busyMs: 10_007, endedCost: 500 }), 50);
});

test.serial('nothing is said while nothing has ended to judge by', async (t) => {
  t.is(await pace({}), null);
  t.is(await pace({}, { busyMs: 10_000 }), null);
});

test.serial(
  'an account that was lost and begun anew makes no pace of what was before',
  async (t) => {
    t.is(await pace({ busyMs: 90_000, endedCost: 9_000 }, { busyMs: 10, endedCost: 1 }), null);
    const after = [{ busyMs: 10 }, { busyMs: 1_010, endedCost: 70 }];
    t.is(await pace({ busyMs: 90_000, endedCost: 9_000 }, ...after), 70);
  },
);

test.serial('a clock that was set back stops nothing', async (t) => {
  let busyMs = 0;
  const work = () => Promise.resolve({ ...EMPTY, busyMs: (busyMs += 1_000), endedCost: busyMs });
  const throughput = new Throughput({ work });
  await withClock(3_600_000, () => throughput.look());
  const { costPerS } = await withClock(0, () => throughput.look(), 10_000);
  t.is(costPerS, 1_000);
});
