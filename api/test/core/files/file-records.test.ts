import { testPrefix, testRedisUrl } from '@epd/service/testing';
import test from 'ava';
import { Redis } from 'ioredis';
import { FileRecords, type FileRecord } from '../../../src/core/files/file-records.ts';

test('a file lives for as long as was asked for, though the clock of who took it is an hour off', async (t) => {
  const redis = new Redis(testRedisUrl());
  t.teardown(() => redis.disconnect());
  const prefix = testPrefix();
  const records = new FileRecords(redis, prefix);
  for (const offsetMs of [3_600_000, -3_600_000]) {
    const createdAtMs = Date.now() + offsetMs;
    const record: FileRecord = {
      id: `file-${offsetMs}`,
      tenant: 'a',
      filename: 'x',
      purpose: 'batch',
      bytes: 1,
      createdAtMs,
      expiresAtMs: createdAtMs + 60_000,
      key: `files/${offsetMs}`,
      picture: null,
    };
    await records.add(record);
    t.deepEqual(await records.find('a', record.id), record);
    t.true((await redis.pttl(`${prefix}:file:a:${record.id}`)) <= 60_000);
  }
});
