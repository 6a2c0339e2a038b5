import { withClock } from '@epd/connector/testing';
import { testPrefix, testRedisUrl } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { Redis } from 'ioredis';
import { Admission } from '../../../src/core/limits/admission.ts';

const MOST = { total: 150, tenant: 0 };
const HOUR_MS = 3_600_000;

function setUp(t: ExecutionContext) {
  const redis = new Redis(testRedisUrl());
  t.teardown(() => redis.disconnect());
  return { redis, admission: new Admission(redis, testPrefix()) };
}

test('a reservation that is sent again, because its reply was lost, counts once', async (t) => {
  const { admission } = setUp(t);
  const first = await admission.reserve('job_1', 'a', 100, MOST);
  t.deepEqual(await admission.reserve('job_1', 'a', 100, MOST), first);
  t.like(await admission.waiting(), { total: 100, count: 1 });
  await admission.release('job_1', { ended: true });
  t.like(await admission.waiting(), { total: 0, count: 0, endedCount: 1 });
});

for (const offsetMs of [HOUR_MS, -HOUR_MS]) {
  const wrong = offsetMs > 0 ? 'ahead' : 'behind';
  test.serial(
    `a clock that is an hour ${wrong} takes no job's place from it before its record is written`,
    async (t) => {
      const { redis, admission } = setUp(t);
      await withClock(offsetMs, () => admission.reserve('job_1', 'a', 100, MOST));
      await admission.reserve('job_2', 'a', 1, MOST);
      t.is(await admission.sweep(), 0);
      t.is(await withClock(offsetMs, () => admission.sweep()), 0);
      t.like(await admission.waiting(), { total: 101, count: 2 });
      // Nor does one whose process died hold its place for longer than others.
      const { key, field } = admission.reservationOf('job_1');
      const sinceMs = (await redis.hget(key, field))?.split(' ')[2];
      t.true(Math.abs(Number(sinceMs) - Date.now()) < 60_000);
    },
  );
}

test('what never became a job is let go after a while, by whatever process', async (t) => {
  const { redis, admission } = setUp(t);
  await admission.reserve('job_1', 'a', 100, MOST);
  const { key, field } = admission.reservationOf('job_1');
  await redis.hset(key, field, `100 a ${Date.now() - 16_000}`);
  t.is(await admission.sweep(), 1);
  t.like(await admission.waiting(), { total: 0, count: 0 });
});
