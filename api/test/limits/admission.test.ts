import { testPrefix, testRedisUrl } from '@epd/service/testing';
import test from 'ava';
import { Redis } from 'ioredis';
import { Admission } from '../../src/limits/admission.ts';

test('a reservation that is sent again, because its reply was lost, counts once', async (t) => {
  const redis = new Redis(testRedisUrl());
  t.teardown(() => redis.disconnect());
  const admission = new Admission(redis, testPrefix());
  const most = { total: 150, tenant: 0 };
  const first = await admission.reserve('job_1', 'a', 100, most);
  t.deepEqual(await admission.reserve('job_1', 'a', 100, most), first);
  t.like(await admission.waiting(), { total: 100, count: 1 });
  await admission.release('job_1', { ended: true });
  t.like(await admission.waiting(), { total: 0, count: 0, endedCount: 1 });
});
