import { testRedis } from '@epd/service/testing';
import test from 'ava';
import { DataMark } from '../src/index.ts';

test('every process notices once that Redis has lost its data', async (t) => {
  const { redis, prefix } = testRedis(t);
  const losses: string[] = [];
  const marks = ['one', 'two'].map(
    (name) =>
      new DataMark({
        redis,
        prefix,
        onLoss: () => losses.push(name),
        onError: (error) => t.fail(String(error)),
      }),
  );
  const look = async (): Promise<void> => {
    for (const mark of marks) await mark.look();
  };
  await look();
  await look();
  t.deepEqual(losses, []);
  await redis.del(`${prefix}:mark`);
  await look();
  await look();
  t.deepEqual(losses, ['one', 'two']);
});
