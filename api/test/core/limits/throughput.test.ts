import { withClock } from '@epd/connector/testing';
import test from 'ava';
import type { Admission } from '../../../src/core/limits/admission.ts';
import { Throughput } from '../../../src/core/limits/throughput.ts';

test.serial(
  'the pace is told by a steady clock: one that was set back stops nothing',
  async (t) => {
    let endedCost = 0;
    const waiting = async () => ({
      total: 0,
      count: 0,
      endedCost: (endedCost += 500),
      endedCount: endedCost,
    });
    const throughput = new Throughput({ waiting } as unknown as Admission);
    await withClock(3_600_000, () => throughput.look());
    const { costPerS } = await withClock(0, () => throughput.look(), 10_000);
    t.is(Math.round(costPerS ?? 0), 50);
  },
);
