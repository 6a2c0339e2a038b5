import { encodeQueueName, generateQueueName } from '@epd/connector';
import { RedisModelRegistry } from '@epd/fleet';
import { jobKeys } from '@epd/jobs';
import { testPrefix, testRedisUrl } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { Registry } from 'prom-client';
import { FleetLookout, installFleetMetrics } from '../../../src/core/metrics/fleet-metrics.ts';
import { TEST_CARD } from '../../helpers/test-card.ts';

async function fleet(t: ExecutionContext) {
  const redis = new Redis(testRedisUrl());
  const prefix = testPrefix();
  const lease = await new RedisModelRegistry(redis, prefix).announce('encoder', 'e', TEST_CARD);
  const lookout = new FleetLookout(redis, prefix);
  const registry = new Registry();
  installFleetMetrics(registry, lookout);
  const queues: Queue[] = [];
  t.teardown(async () => {
    await lease.stop();
    for (const queue of queues) await queue.obliterate({ force: true });
    await Promise.all(queues.map((queue) => queue.close()));
    redis.disconnect();
  });
  const queue = (name: string): Queue => {
    const opened = new Queue(name, { connection: redis, prefix });
    queues.push(opened);
    return opened;
  };
  return { redis, prefix, registry, queue, scrape: () => registry.metrics() };
}

const model = `model="${TEST_CARD.id}"`;

test('an idle fleet reports zero for every queue and every outcome', async (t) => {
  const { scrape } = await fleet(t);
  const text = await scrape();
  t.true(text.includes(`epd_queue_jobs{stage="encode",${model}} 0`));
  t.true(text.includes(`epd_queue_jobs{stage="generate",${model}} 0`));
  t.true(text.includes(`epd_queue_cost_tokens{stage="encode",${model}} 0`));
  t.true(text.includes(`epd_queue_cost_tokens{stage="generate",${model}} 0`));
  t.true(text.includes('epd_jobs_ended_total{status="expired"} 0'));
  t.regex(text, /^epd_jobs_live 0$/m);
  t.regex(text, /^epd_redis_evicted_keys_total 0$/m);
});

test('queued jobs are counted, with a priority or returned by a worker, and their cost added up', async (t) => {
  const { redis, prefix, scrape, queue } = await fleet(t);
  const encodes = queue(encodeQueueName(TEST_CARD.id));
  await encodes.add('encode', { tokens: 64 });
  await encodes.add('encode', { tokens: 128 }, { priority: 3 });
  await encodes.add('encode', { tokens: 96 }, { delay: 60_000 });
  await redis.hset(jobKeys(prefix).admission, 'job:job_1', `700 a ${TEST_CARD.id}`);
  const generates = queue(generateQueueName(TEST_CARD.id));
  await generates.add('generate', {}, { priority: 101, jobId: 'job_1' });
  const text = await scrape();
  t.true(text.includes(`epd_queue_jobs{stage="encode",${model}} 3`));
  t.true(text.includes(`epd_queue_cost_tokens{stage="encode",${model}} 288`));
  t.true(text.includes(`epd_queue_jobs{stage="generate",${model}} 1`));
  t.true(text.includes(`epd_queue_cost_tokens{stage="generate",${model}} 700`));
});

test('live jobs and endings are those that Redis has counted', async (t) => {
  const { scrape, redis, prefix } = await fleet(t);
  await redis.zadd(`${prefix}:jobs:live`, 1, 'a', 2, 'b');
  await redis.hset(`${prefix}:jobs:totals`, { completed: 7, cancelled: 2 });
  const text = await scrape();
  t.regex(text, /^epd_jobs_live 2$/m);
  t.true(text.includes('epd_jobs_ended_total{status="completed"} 7'));
  t.true(text.includes('epd_jobs_ended_total{status="failed"} 0'));
});

test('without Redis there are no figures, and the scrape succeeds', async (t) => {
  const registry = new Registry();
  installFleetMetrics(registry, { look: () => Promise.reject(new Error('away')) });
  const text = await registry.metrics();
  t.false(/^epd_\w+(\{.*\})? \d/m.test(text), text);
});
