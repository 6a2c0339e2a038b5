import { testRedis } from '@epd/service/testing';
import test from 'ava';
import { Queue } from 'bullmq';
import { encodeQueueName, generateQueueName, keyName } from '../src/index.ts';

test('plain names stay as they are, others lose what means something in a key', (t) => {
  t.is(keyName('tiny-vlm_1.5'), 'tiny-vlm_1.5');
  t.is(keyName('org/model:q4'), 'org%2Fmodel%3Aq4');
  t.is(keyName('{a}*~'), '%7Ba%7D%2A%7E');
  t.not(keyName('a:b'), keyName('a%3Ab'));
});

test('any name of a model makes names that queues take', async (t) => {
  const { redis, prefix } = testRedis(t);
  for (const model of ['org/model:q4', 'with space', '\ud800', '模型']) {
    for (const name of [encodeQueueName(model), generateQueueName(model)]) {
      const queue = new Queue(name, { connection: redis, prefix });
      await queue.add('job', {});
      t.is(await queue.count(), 1, name);
      await queue.close();
    }
  }
});
