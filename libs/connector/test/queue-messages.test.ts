import test from 'ava';
import { Queue, Worker } from 'bullmq';
import { moveBack } from '../src/index.ts';
import { testRedis } from './helpers/redis.ts';

test('a message that is handed back wakes an idle worker, whether it has a priority or none', async (t) => {
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
