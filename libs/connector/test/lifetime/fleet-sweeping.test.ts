import { testRedis } from '@epd/service/testing';
import test from 'ava';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { countingMetrics } from '../helpers/counting-metrics.ts';
import { EmbeddingStore, EmbeddingSweeper, EmbeddingUsage, MemoryStore } from '../../src/index.ts';
import { startFakeEncoder } from '../helpers/fake-encoder.ts';
import { until } from '../helpers/until.ts';
import { requestOf, startConsumer } from '../helpers/test-fleet.ts';

const REQUESTS = 300;
const SWEEPERS = 4;
const IMAGES = Array.from({ length: 20 }, (_, index) => `image ${index}`);

for (const leases of [true, false]) {
  const title = leases ? 'with leases' : 'without leases';
  test(`everything is served while all that may be swept is swept at once: ${title}`, async (t) => {
    const { redis, prefix } = testRedis(t);
    const usage = new EmbeddingUsage({ redis, prefix });
    const store = new MemoryStore();
    const embeddings = new EmbeddingStore({ store, usage });
    await startFakeEncoder(t, { redis, prefix, embeddings });
    const consumer = await startConsumer(t, {
      redis,
      prefix,
      embeddings,
      ...(leases ? { usage } : {}),
      cacheBytes: 3 * 128,
      lookAgainMs: 50,
      maxFailedLoads: leases ? 5 : 10_000,
    });
    const { metrics, counts } = countingMetrics();
    // Everything that was used before the next hour is too old.
    const sweeper = new EmbeddingSweeper({
      redis,
      prefix,
      store,
      usage,
      metrics,
      ttlMs: -3_600_000,
    });
    const done = new AbortController();
    const sweeping = Promise.all(
      Array.from({ length: SWEEPERS }, () => keepSweeping(sweeper, done.signal)),
    );
    const sweptLeast = leases ? 0 : IMAGES.length + 1;
    const outcomes = new Set<unknown>();
    const sweptItems = (): number => counts.get('swept:expired') ?? 0;
    do {
      const served = Array.from({ length: REQUESTS }, async (_, index) => {
        await sleep(index * 5);
        return consumer.serve(requestOf(`job-${randomUUID()}`, threeOf(index)));
      });
      for (const outcome of await Promise.all(served)) outcomes.add(outcome);
    } while (sweptItems() < sweptLeast); // a busy machine sweeps less in a round
    done.abort();
    await sweeping;
    t.deepEqual(outcomes, new Set(['done']));
    t.log(`${sweptItems()} embeddings swept, ${consumer.failedLoads} loads found their item gone`);
    // No lease outlives its request, so in the end everything goes.
    await until(async () => {
      await sweeper.sweep();
      return (await usage.totalBytes()) === 0;
    });
  });
}

async function keepSweeping(sweeper: EmbeddingSweeper, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await sweeper.sweep();
}

const threeOf = (index: number): string[] =>
  [0, 7, 13].map((step) => IMAGES[(index * 3 + step) % IMAGES.length]!);
