import { connectRedis, createLogger, waitForRedis, workerReadiness } from '@epd/service';
import { testRedisUrl } from '@epd/service/testing';
import test from 'ava';

const log = createLogger({ service: 'test', destination: { write: () => undefined } });

test('a worker is ready when it runs and reaches what it rests on', async (t) => {
  const redis = connectRedis(testRedisUrl(), { name: 'readiness', log });
  t.teardown(() => redis.disconnect());
  await waitForRedis(redis);
  let pings = 0;
  const store = { ping: async () => void (pings += 1) };
  let listed = true;
  const on = { redis, store, model: 'm', announced: { isListed: async () => listed } };
  const loading = { ready: false, reason: 'the model is being loaded' };
  t.deepEqual(await workerReadiness(null, on), loading);
  t.is(pings, 0);
  const report = { ready: true, model: 'm', redis: 'ready', takesWork: true, listed };
  t.deepEqual(await workerReadiness({ isRunning: true }, on), report);
  const stopped = { ...report, ready: false, takesWork: false };
  t.deepEqual(await workerReadiness({ isRunning: false }, on), stopped);
  listed = false; // Redis has lost its lease
  const unlisted = { ...report, ready: false, listed };
  t.deepEqual(await workerReadiness({ isRunning: true }, on), unlisted);
  const away = new Error('no store');
  const broken = { ...on, store: { ping: () => Promise.reject(away) } };
  t.is(await t.throwsAsync(workerReadiness({ isRunning: true }, broken)), away);
});

test('without Redis there is nothing to ask it, and a worker that loads says why', async (t) => {
  const redis = connectRedis(testRedisUrl(), { name: 'readiness', log });
  redis.disconnect();
  const on = { redis, store: { ping: async () => undefined }, model: null, announced: null };
  const alone = { ready: false, reason: 'Redis is not reachable' };
  t.deepEqual(await workerReadiness(null, on), alone);
  t.like(await workerReadiness({ isRunning: true }, on), { ready: false, takesWork: true });
});
