import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { testRedis } from '@epd/service/testing';
import test from 'ava';
import { Worker } from 'bullmq';
import { INDEX_QUERY_QUEUE, IndexClient } from '../src/index-client.ts';

/** What a query is asked over while Redis takes no new connection: the one that there is works on. */
async function refusingServer(): Promise<{ port: number; close: () => void }> {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

test('a client that could not be opened once is opened by the next query, and can be closed', async (t) => {
  const { redis, prefix } = testRedis(t);
  const refusing = await refusingServer();
  const duplicate = redis.duplicate.bind(redis);
  redis.duplicate = (options) =>
    duplicate({ ...options, port: refusing.port, host: '127.0.0.1', retryStrategy: () => null });
  const connection = duplicate();
  const client = new IndexClient({ redis, prefix });
  const worker = new Worker(
    INDEX_QUERY_QUEUE,
    () => Promise.resolve({ ok: true, value: { images: [], hasMore: false } }),
    { connection, prefix },
  );
  t.teardown(async () => {
    await worker.close();
    refusing.close();
  });
  const query = () =>
    client.query({
      op: 'list',
      tenant: 'alice',
      fingerprint: 'f',
      limit: 1,
      order: 'desc',
      filter: {},
    });
  await t.throwsAsync(query(), { message: /clos/i });
  await t.notThrowsAsync(client.close(), 'nothing is open');
  redis.duplicate = duplicate;
  t.deepEqual(await query(), { images: [], hasMore: false });
  await client.close();
});
