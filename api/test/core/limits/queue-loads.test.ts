import { encodeQueueName, generateQueueName } from '@epd/connector';
import { jobKeys } from '@epd/jobs';
import { testRedis } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { Queue, Worker, type Job } from 'bullmq';
import { QueueLoads } from '../../../src/core/limits/queue-loads.ts';

const MODEL = 'vlm';

/** A generate queue with its admission account, and a worker that claims on demand. */
function generates(t: ExecutionContext) {
  const { redis: connection, prefix } = testRedis(t);
  const name = generateQueueName(MODEL);
  const queue = new Queue(name, { connection, prefix });
  const worker = new Worker(name, null, { connection, prefix });
  const account = jobKeys(prefix).admission;
  t.teardown(async () => {
    await worker.close();
    await queue.obliterate({ force: true });
    await queue.close();
  });
  const accept = async (jobId: string, cost: number, priority = 101): Promise<void> => {
    await connection.hset(account, `job:${jobId}`, `${cost} a ${MODEL}`);
    await queue.add('generate', {}, { jobId, priority });
  };
  const take = async (): Promise<Job> => {
    const job = await worker.getNextJob('token');
    if (job === undefined) throw new Error('Nothing waits');
    return job;
  };
  const loads = new QueueLoads(connection, prefix);
  const waiting = async (): Promise<number> => (await loads.generates(MODEL)).costTokens;
  const end = (jobId: string) => connection.hdel(account, `job:${jobId}`);
  return { accept, take, end, waiting };
}

test('a queued job costs what it was admitted for, until a worker claims it or it ends', async (t) => {
  const { accept, take, end, waiting } = generates(t);
  t.is(await waiting(), 0);
  await accept('first', 100);
  await accept('second', 20);
  await accept('third', 3);
  t.is(await waiting(), 123);
  t.is((await take()).id, 'first');
  t.is(await waiting(), 23);
  // Cancelled: the queue has it until a worker comes to it.
  await end('second');
  t.is(await waiting(), 3);
});

test('a job that a worker returns is queued again, and so is one to be retried later', async (t) => {
  const { accept, take, waiting } = generates(t);
  await accept('handed back', 100);
  const handed = await take();
  t.is(await waiting(), 0);
  await handed.moveToWait('token');
  t.is(await waiting(), 100);
  await (await take()).moveToDelayed(Date.now() + 60_000, 'token');
  t.is(await waiting(), 100);
});

test('of a long queue it looks at the last in line as well as at the first', async (t) => {
  const { accept, waiting } = generates(t);
  const jobs = Array.from({ length: 500 }, (_, index) => [`now ${index}`, `batch ${index}`]);
  await Promise.all(
    jobs.map(async ([now, batch]) => {
      await accept(now!, 10, 101);
      await accept(batch!, 1_000, 201);
    }),
  );
  t.is(await waiting(), 505_000);
});

test('of a long encode queue too, with a priority or without one, and those that wait to be tried again', async (t) => {
  const { redis: connection, prefix } = testRedis(t);
  const queue = new Queue(encodeQueueName(MODEL), { connection, prefix });
  t.teardown(async () => {
    await queue.obliterate({ force: true });
    await queue.close();
  });
  const add = (count: number, tokens: number, options: object) =>
    queue.addBulk(
      Array.from({ length: count }, () => ({ name: 'encode', data: { tokens }, opts: options })),
    );
  for (const options of [{}, { priority: 101 }, { delay: 60_000 }]) {
    await add(500, 10, options);
    await add(500, 1_000, options);
  }
  const load = await new QueueLoads(connection, prefix).encodes(MODEL);
  t.deepEqual(load, { jobs: 3_000, costTokens: 3 * 505_000 });
});
