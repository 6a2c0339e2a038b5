import { testRedis } from '@epd/service/testing';
import test from 'ava';
import { Queue, Worker } from 'bullmq';
import { lockOptions, moveBack } from '../src/index.ts';

test('a message that is returned wakes an idle worker, whether it has a priority or none', async (t) => {
  const { redis, prefix } = testRedis(t);
  const connection = redis.duplicate({ maxRetriesPerRequest: null });
  const queue = new Queue('encode-m', { connection, prefix });
  const worker = new Worker('encode-m', null, { connection, prefix });
  t.teardown(async () => {
    await worker.close();
    await queue.close();
    connection.disconnect();
  });
  for (const priority of [0, 101]) {
    await queue.add('encode', {}, { priority });
    const message = await worker.getNextJob('token');
    await redis.del(queue.toKey('marker')); // what an idle worker waits for
    await moveBack(redis, message, 'token');
    t.is(await redis.zscore(queue.toKey('marker'), '0'), '0');
    await (await worker.getNextJob('token'))?.moveToCompleted(null, 'token', false);
  }
});

test('messages of a worker that is gone are found, whatever the lock’s length', async (t) => {
  const { redis, prefix } = testRedis(t);
  const connection = redis.duplicate({ maxRetriesPerRequest: null });
  const queue = new Queue('encode-m', { connection, prefix });
  const taker = new Worker('encode-m', null, { connection, prefix });
  await queue.add('encode', {}, { priority: 101 });
  const taken = await taker.getNextJob('token');
  await redis.del(queue.toKey(`${taken?.id}:lock`)); // its worker is gone, and the lock has run out
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const options = { connection: connection.duplicate(), prefix, ...lockOptions(1_001) };
  const worker = new Worker('encode-m', async ({ id }) => resolve(id), options);
  worker.on('error', (error) => t.fail(error.message));
  t.teardown(async () => {
    await worker.close();
    await taker.close();
    await queue.close();
    options.connection.disconnect();
    connection.disconnect();
  });
  t.is(await promise, taken?.id);
});
