import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { testRedisUrl } from '@epd/service/testing';
import type { ExecutionContext } from 'ava';
import { Redis } from 'ioredis';

/** A connection to the tests' Redis that can be made to lose a reply: the command is done, nobody is told. */
export interface LossyRedis {
  readonly redis: Redis;
  /** The reply to what is sent next is lost, and the connection with it. */
  readonly loseNextReply: () => void;
}

export async function lossyRedis(t: ExecutionContext): Promise<LossyRedis> {
  const target = new URL(testRedisUrl());
  const sockets = new Set<Socket>();
  let lossy = false;
  const proxy = createServer((client) => {
    const server = connect(Number(target.port), target.hostname);
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    client.pipe(server);
    server.on('data', (reply) => {
      if (lossy) {
        lossy = false;
        client.destroy();
        server.destroy();
      } else {
        client.write(reply);
      }
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as { port: number };
  const redis = new Redis({ port, maxRetriesPerRequest: null, retryStrategy: () => 10 });
  t.teardown(() => {
    redis.disconnect();
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  await redis.ping();
  return { redis, loseNextReply: () => (lossy = true) };
}
