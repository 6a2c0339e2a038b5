import { connectRedis, createLogger, waitForRedis, workerReadiness } from '@epd/service';
import { testRedisUrl } from '@epd/service/testing';
import test from 'ava';

const log = createLogger({ service: 'test', destination: { write: () => undefined } });

const OURS = { state: { verdict: 'ours', reason: '' } } as const;

test('a worker is ready when it runs and reaches its dependencies', async (t) => {
  const redis = connectRedis(testRedisUrl(), { name: 'readiness', log });
  t.teardown(() => redis.disconnect());
  await waitForRedis(redis);
  let pings = 0;
  const store = { ping: async () => void (pings += 1) };
  let listed = true;
  const announced = { isListed: async () => listed };
  const on = { redis, store, model: 'm', announced, fleetStore: OURS, needsStore: true };
  const loading = { ready: false, reason: 'the model is loading' };
  t.deepEqual(await workerReadiness(null, on), loading);
  t.is(pings, 0);
  const report = { ready: true, model: 'm', redis: 'ready', store: 'ok', takesWork: true, listed };
  t.deepEqual(await workerReadiness({ isRunning: true }, on), report);
  const stopped = { ...report, ready: false, takesWork: false };
  t.deepEqual(await workerReadiness({ isRunning: false }, on), stopped);
  const broken = { ...on, store: { ping: () => Promise.reject(new Error('no store')) } };
  const away = { ...report, ready: false, store: 'no store' };
  t.deepEqual(await workerReadiness({ isRunning: true }, broken), away);
  const without = { ...broken, needsStore: false };
  t.deepEqual(await workerReadiness({ isRunning: true }, without), { ...away, ready: true });
  listed = false; // Redis has lost its lease
  const unlisted = { ...report, ready: false, listed };
  t.deepEqual(await workerReadiness({ isRunning: true }, on), unlisted);
});

test('without Redis there is nothing to ask it, and a worker that loads says why', async (t) => {
  const redis = connectRedis(testRedisUrl(), { name: 'readiness', log });
  redis.disconnect();
  const on = {
    redis,
    store: { ping: async () => undefined },
    model: null,
    announced: null,
    fleetStore: OURS,
    needsStore: true,
  };
  const alone = { ready: false, reason: 'Redis is unreachable' };
  t.deepEqual(await workerReadiness(null, on), alone);
  t.like(await workerReadiness({ isRunning: true }, on), { ready: false, takesWork: true });
});

test('a worker on another store than its fleet is not ready, and says so', async (t) => {
  const redis = connectRedis(testRedisUrl(), { name: 'readiness', log });
  t.teardown(() => redis.disconnect());
  await waitForRedis(redis);
  const state = { verdict: 'other', reason: 'not the store of its fleet' } as const;
  const store = { ping: async () => undefined };
  for (const needsStore of [true, false]) {
    const announced = { isListed: async () => true };
    const on = { redis, store, model: null, announced, fleetStore: { state }, needsStore };
    t.deepEqual(await workerReadiness(null, on), { ready: false, reason: state.reason });
    t.like(await workerReadiness({ isRunning: true }, on), { ready: false, store: state.reason });
  }
});
