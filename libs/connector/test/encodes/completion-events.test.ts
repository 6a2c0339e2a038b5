import { testRedis } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import type { Redis } from 'ioredis';
import { CompletionPublisher, CompletionReader, type CompletionEvent } from '../../src/index.ts';
import { countingMetrics } from '../helpers/counting-metrics.ts';
import { failedEvent, storedEvent } from '../helpers/encode-jobs.ts';
import { until } from '../helpers/until.ts';

function setUp(t: ExecutionContext) {
  const connection = testRedis(t);
  const { metrics, counts } = countingMetrics();
  t.teardown(() => connection.redis.del(`${connection.prefix}:completions`));
  const publisher = new CompletionPublisher(connection);
  const read = async (from?: string) => {
    const reader = new CompletionReader({ ...connection, metrics, ...(from ? { from } : {}) });
    t.teardown(() => reader.stop());
    const events: CompletionEvent[] = [];
    reader.subscribe((event) => events.push(event));
    await reader.start();
    return { reader, events };
  };
  return { ...connection, publisher, read, counts };
}

test('events reach every reader in order', async (t) => {
  const { publisher, read } = setUp(t);
  const readers = [await read(), await read()];
  const published = [storedEvent('cat'), failedEvent('dog'), storedEvent('bird')];
  for (const event of published) await publisher.publish(event);
  for (const { events } of readers) {
    await until(() => events.length === 3);
    t.deepEqual(events, published);
  }
});

test('a reader begins at its start, or where another left off', async (t) => {
  const { publisher, read } = setUp(t);
  await publisher.publish(storedEvent('before'));
  const { reader, events } = await read();
  await publisher.publish(storedEvent('cat'));
  await until(() => events.length === 1);
  t.deepEqual(events, [storedEvent('cat')]);
  await reader.stop();

  await publisher.publish(storedEvent('dog'));
  const later = await read(reader.lastId!);
  await until(() => later.events.length === 1);
  t.deepEqual(later.events, [storedEvent('dog')]);
});

test('what a reader does not understand is counted and passed over', async (t) => {
  const { redis, prefix, publisher, read, counts } = setUp(t);
  const { events } = await read();
  const bad = [
    JSON.stringify({ ...storedEvent('cat'), v: 2 }),
    JSON.stringify({ ...storedEvent('cat'), rows: 0 }),
    'no JSON',
    'null',
  ];
  for (const text of bad) await redis.xadd(`${prefix}:completions`, '*', 'event', text);
  await redis.xadd(`${prefix}:completions`, '*', 'other field', '1');
  await publisher.publish(storedEvent('dog'));
  await until(() => events.length === 1);
  t.deepEqual(events, [storedEvent('dog')]);
  t.is(counts.get('skipped:version'), 2);
  t.is(counts.get('skipped:schema'), 3);
});

test('what no reader would accept is not published', async (t) => {
  const { publisher } = setUp(t);
  const event = { ...storedEvent('cat'), mmHash: '../x' };
  await t.throwsAsync(publisher.publish(event), { instanceOf: TypeError });
});

test('a reader resumes after its connection was cut', async (t) => {
  const { redis, publisher, read } = setUp(t);
  const { events } = await read();
  await publisher.publish(storedEvent('cat'));
  await until(() => events.length === 1);
  await redis.client('KILL', 'ID', await blockedClientOf(redis));
  await publisher.publish(storedEvent('dog'));
  await until(() => events.length === 2);
  t.deepEqual(events[1], storedEvent('dog'));
});

test('the stream stays bounded', async (t) => {
  const { redis, prefix, publisher } = setUp(t);
  const event = storedEvent('cat');
  for (let round = 0; round < 21; round += 1) {
    await Promise.all(Array.from({ length: 500 }, () => publisher.publish(event)));
  }
  t.true((await redis.xlen(`${prefix}:completions`)) < 10_400);
});

test('a stopped reader hears nothing more, and stopping twice is no error', async (t) => {
  const { publisher, read } = setUp(t);
  const { reader, events } = await read();
  await reader.stop();
  await reader.stop();
  await publisher.publish(storedEvent('cat'));
  t.deepEqual(events, []);
});

/** Id of the connection on which this test's reader waits: it is a duplicate and has its name. */
async function blockedClientOf(redis: Redis): Promise<string> {
  const clients = String(await redis.client('LIST')).split('\n');
  const name = redis.options.connectionName!;
  const client = clients.find(
    (line) => line.includes(`name=${name}`) && line.includes('cmd=xread'),
  );
  return /^id=(\d+)/.exec(client ?? '')![1]!;
}
