import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { testRedisUrl } from '@epd/service/testing';
import type { ExecutionContext } from 'ava';
import { Redis } from 'ioredis';

/** A connection to the tests' Redis whose way there can be broken. */
export interface LossyRedis {
  readonly redis: Redis;
  /** The reply to what is sent next is lost, and the connection with it: the command is executed, nobody is notified. */
  readonly loseNextReply: () => void;
  /** Nothing passes over the connections there are, and nobody is notified; new ones work. */
  readonly silence: () => void;
}

export async function lossyRedis(
  t: ExecutionContext,
  {
    reconnectMs = 10,
    ...options
  }: { readonly socketTimeout?: number; readonly reconnectMs?: number } = {},
): Promise<LossyRedis> {
  const target = new URL(testRedisUrl());
  const sockets = new Set<Socket>();
  const silent = new WeakSet<Socket>();
  let lossy = false;
  const proxy = createServer((client) => {
    const server = connect(Number(target.port), target.hostname);
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    client.on('data', (data) => !silent.has(client) && server.write(data));
    server.on('data', (reply) => {
      if (silent.has(client)) return;
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
  const redis = new Redis({
    port,
    maxRetriesPerRequest: null,
    retryStrategy: () => reconnectMs,
    ...options,
  });
  t.teardown(() => {
    redis.disconnect();
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  await redis.ping();
  return {
    redis,
    loseNextReply: () => (lossy = true),
    silence: () => sockets.forEach((socket) => silent.add(socket)),
  };
}
