import { testRedis } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  EmbeddingStore,
  EmbeddingSweeper,
  EmbeddingUsage,
  FolderStore,
  MemoryStore,
  embeddingKey,
  type EmbeddingSweeperOptions,
} from '../../src/index.ts';
import { countingMetrics } from '../helpers/counting-metrics.ts';
import { FINGERPRINT, embeddingOf, hashOf, specOf } from '../helpers/embeddings.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { until } from '../helpers/until.ts';
import { withClock } from '../../src/testing/with-clock.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'];
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

function setUp(t: ExecutionContext, options: Partial<EmbeddingSweeperOptions> = {}) {
  const { redis, prefix } = testRedis(t);
  const store = new MemoryStore();
  const usage = new EmbeddingUsage({ redis, prefix });
  const embeddings = new EmbeddingStore({ store, usage });
  const { metrics, counts } = countingMetrics();
  const makeSweeper = () =>
    new EmbeddingSweeper({ redis, prefix, store, usage, metrics, minIdleMs: 0, ...options });
  const saveAll = async () => {
    for (const name of NAMES) await embeddings.save(hashOf(name), FINGERPRINT, embeddingOf(name));
    await until(async () => (await usage.oldest(10)).length === NAMES.length);
  };
  const left = async () => {
    const stored = await Promise.all(
      NAMES.map(
        async (name) => [name, await store.stat(embeddingKey('embeddings', hashOf(name)))] as const,
      ),
    );
    return stored.filter(([, stat]) => stat !== null).map(([name]) => name);
  };
  return { redis, prefix, store, usage, embeddings, makeSweeper, saveAll, left, counts };
}

test('what was not used for the time to live goes, unless it is leased', async (t) => {
  const { usage, makeSweeper, store, left, counts } = setUp(t, { ttlMs: HOUR_MS });
  for (const [index, name] of NAMES.entries()) {
    await store.put(embeddingKey('embeddings', hashOf(name)), Buffer.alloc(100));
    await usage.adopt(hashOf(name), 100, Date.now() - index * 0.5 * HOUR_MS);
  }
  await usage.lease(hashOf('d'), 'live job');
  t.is((await makeSweeper().sweep()).expired, 2);
  t.deepEqual(await left(), ['a', 'b', 'd']);
  t.is(counts.get('swept:expired'), 2);
  await usage.endLease(hashOf('d'), 'live job');
  t.is((await makeSweeper().sweep()).expired, 1);
});

test('beyond the bound the longest unused go, and those in use stay', async (t) => {
  const { saveAll, makeSweeper, usage, left } = setUp(t, { maxBytes: 1200 });
  await saveAll();
  const total = await usage.totalBytes();
  await usage.lease(hashOf('a'), 'live job');
  const { evicted } = await makeSweeper().sweep();
  t.true(total > 1200);
  t.true((await usage.totalBytes()) <= 1200);
  const remaining = await left();
  t.true(remaining.includes('a'));
  t.true(remaining.includes('e'));
  t.is(remaining.length, NAMES.length - evicted);
});

test('within the bound nothing goes', async (t) => {
  const { saveAll, makeSweeper, left } = setUp(t, { maxBytes: 1 << 20 });
  await saveAll();
  t.deepEqual(await makeSweeper().sweep(), { expired: 0, evicted: 0, adopted: 0, vanished: 0 });
  t.deepEqual(await left(), NAMES);
});

test('the books are brought in step with the store', async (t) => {
  const { store, usage, makeSweeper } = setUp(t);
  await store.put(embeddingKey('embeddings', hashOf('a')), Buffer.alloc(100));
  await store.put('embeddings/stranger', Buffer.alloc(100));
  await usage.adopt(hashOf('b'), 70, Date.now() - HOUR_MS);
  const { adopted, vanished } = await makeSweeper().sweep();
  t.is(adopted, 1);
  t.is(vanished, 1);
  t.is(await usage.totalBytes(), 100);
  t.truthy(await store.get('embeddings/stranger'));
});

for (const [wrong, offsetMs] of [
  ['ahead', HOUR_MS],
  ['behind', -HOUR_MS],
] as const) {
  test.serial(
    `a sweeper whose clock is an hour ${wrong} takes what is due by Redis’s`,
    async (t) => {
      const { store, usage, makeSweeper, left } = setUp(t, {
        ttlMs: 30 * MINUTE_MS,
        maxBytes: 50,
        minIdleMs: MINUTE_MS,
      });
      const used = { a: 40, b: 10, c: 0 }; // minutes ago
      for (const [name, minutes] of Object.entries(used)) {
        await store.put(embeddingKey('embeddings', hashOf(name)), Buffer.alloc(100));
        await usage.adopt(hashOf(name), 100, (await usage.nowMs()) - minutes * MINUTE_MS);
      }
      const swept = await withClock(offsetMs, () => makeSweeper().sweep());
      t.like(swept, { expired: 1, evicted: 1, vanished: 0 });
      t.deepEqual(await left(), ['c']);
    },
  );
}

test.serial(
  'a sweeper whose clock is an hour ahead leaves the temporary file of a put that is under way',
  async (t) => {
    const root = await temporaryFolder(t);
    const store = new FolderStore({ root });
    await store.put('a/b', Buffer.from('1'));
    const path = join(root, 'a', '~0123456789abcdef');
    await writeFile(path, 'half');
    const { makeSweeper } = setUp(t, { store });
    await withClock(HOUR_MS, () => makeSweeper().sweep());
    t.is(await store.removeLeftovers(-1000), 1);
  },
);

test('of several sweepers one is elected, and another takes over from it', async (t) => {
  const { makeSweeper } = setUp(t);
  const [first, second] = [makeSweeper(), makeSweeper()];
  t.truthy(await first.sweepIfElected());
  t.is(await second.sweepIfElected(), null);
  t.truthy(await first.sweepIfElected());
  await first.stop();
  t.truthy(await second.sweepIfElected());
  await second.stop();
});

test('a started sweeper sweeps by itself until it is stopped', async (t) => {
  const { store, makeSweeper, usage, left } = setUp(t, { ttlMs: 0, intervalMs: 10 });
  const sweeper = makeSweeper();
  sweeper.start();
  await store.put(embeddingKey('embeddings', hashOf('a')), Buffer.alloc(100));
  await until(async () => (await left()).length === 0);
  await sweeper.stop();
  await store.put(embeddingKey('embeddings', hashOf('a')), Buffer.alloc(100));
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.deepEqual(await left(), ['a']);
  t.is(await usage.totalBytes(), 0);
});

test('a swept item is encoded and saved again, and loads', async (t) => {
  const { embeddings, makeSweeper } = setUp(t, { ttlMs: -1000 });
  await embeddings.save(hashOf('a'), FINGERPRINT, embeddingOf('a'));
  await makeSweeper().sweep();
  t.is(await embeddings.load(specOf('a')), null);
  t.true((await embeddings.save(hashOf('a'), FINGERPRINT, embeddingOf('a'))).created);
  t.truthy(await embeddings.load(specOf('a')));
});

test('what was put aside goes after its time', async (t) => {
  const { store, makeSweeper } = setUp(t, { quarantineTtlMs: -1 });
  await store.put(`quarantine/${hashOf('a')}/digest-1`, Buffer.alloc(10));
  await makeSweeper().sweep();
  t.deepEqual(await Array.fromAsync(store.list('')), []);
});

test('temporary files of writers that died are removed, those of the living are not', async (t) => {
  const root = await temporaryFolder(t);
  const store = new FolderStore({ root });
  await store.put('a/b', Buffer.from('1'));
  const [old, young] = ['~0123456789abcdef', '~fedcba9876543210'].map((name) =>
    join(root, 'a', name),
  );
  await writeFile(old!, 'half');
  await writeFile(young!, 'half');
  const longAgo = new Date(Date.now() - HOUR_MS);
  await utimes(old!, longAgo, longAgo);
  t.is(await store.removeLeftovers(HOUR_MS / 2), 1);
  t.is(await store.removeLeftovers(-1000), 1);
  t.truthy(await store.get('a/b'));
});

test('what the index knows of the store is asked for by the page, not one by one', async (t) => {
  const { redis, prefix, makeSweeper, saveAll, usage } = setUp(t);
  await saveAll();
  let adoptions = 0;
  const adopt = usage.adopt.bind(usage);
  usage.adopt = (...args) => {
    adoptions += 1;
    return adopt(...args);
  };
  t.is((await makeSweeper().sweep()).adopted, 0);
  t.is(adoptions, 0);
  await redis.hdel(`${prefix}:ec:{usage}:bytes`, hashOf('a'));
  t.is((await makeSweeper().sweep()).adopted, 1);
  t.is(adoptions, 1);
});
