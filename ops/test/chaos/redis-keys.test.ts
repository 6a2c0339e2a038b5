import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectPath } from '@epd/service';
import { testPrefix, testRedisUrl } from '@epd/service/testing';
import test from 'ava';
import { Redis } from 'ioredis';
import { checkKeys, documentedKeys } from '../../chaos/redis-keys.ts';

test('the documentation lists keys with a lifetime each', (t) => {
  const rules = documentedKeys();
  t.true(rules.length > 40);
  t.deepEqual([...new Set(rules.map(({ lifetime }) => lifetime))].toSorted(), [
    'expires',
    'permanent',
    'until',
  ]);
});

test('a key that is not documented, one that never expires, and one that should be gone are found', async (t) => {
  const redis = new Redis(testRedisUrl());
  const prefix = testPrefix();
  t.teardown(() => redis.disconnect());
  await redis.set(`${prefix}:surprise`, '1', 'PX', 60_000);
  await redis.hset(`${prefix}:job:job_1`, 'status', 'queued');
  await redis.zadd(`${prefix}:jobs:live`, 1, 'job_1');
  await redis.hset(`${prefix}:jobs:totals`, 'completed', 1);
  await redis.set(`${prefix}:reconciler`, '1', 'PX', 60_000);
  t.deepEqual(await checkKeys(redis, prefix, documentedKeys()), [
    { key: `${prefix}:job:job_1`, problem: 'without expiry' },
    { key: `${prefix}:jobs:live`, problem: 'left behind' },
    { key: `${prefix}:surprise`, problem: 'undocumented' },
  ]);
  await redis.del(...(await redis.keys(`${prefix}:*`)));
});

const SOURCES = [
  'api/src',
  'workers/encoder/src',
  'workers/prefill-decode/src',
  'libs/connector/src',
  'libs/fleet/src',
  'libs/jobs/src',
];
/** A text that begins with the prefix: `${prefix}:jobs:live`, `${this.#parts.prefix}:upload:${id}`. */
const TEMPLATE = /`\$\{[\w.#]*prefix\}:([^`]+)`/g;

async function keysInSources(): Promise<string[]> {
  const keys: string[] = [];
  for (const folder of SOURCES) {
    const files = await readdir(projectPath(folder), { recursive: true });
    for (const file of files.filter((name) => name.endsWith('.ts'))) {
      const text = await readFile(join(projectPath(folder), file), 'utf8');
      keys.push(...Array.from(text.matchAll(TEMPLATE), ([, key = '']) => sampleOf(key)));
    }
  }
  return keys;
}

const sampleOf = (template: string): string =>
  template
    .replaceAll(/\$\{generateQueueName[^}]*\}/g, 'generate-x')
    .replaceAll(/\$\{[^}]*\}/g, 'x');

test('every key that is spelled in the sources is documented', async (t) => {
  const rules = documentedKeys();
  const keys = await keysInSources();
  t.true(keys.length > 30);
  // Channels hold nothing; the books of embeddings are spelled below a prefix of their own.
  const undocumented = keys.filter(
    (key) =>
      !/^(channel:.*|x(:x)*)$/.test(key) &&
      ![key, `ec:{usage}:${key}`].some((name) => rules.some(({ matches }) => matches.test(name))),
  );
  t.deepEqual(undocumented, ['ec:{usage}']);
});
