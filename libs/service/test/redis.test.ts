import { connect, createServer, type Socket } from 'node:net';
import test from 'ava';
import {
  connectRedis,
  createLogger,
  RedisUnavailableError,
  waitForRedis,
  redisOptions,
} from '@epd/service';
import { eventually, freePort, testPrefix, testRedisUrl } from '@epd/service/testing';
import { portOf } from '../src/port-of.ts';

function recorder() {
  const lines: string[] = [];
  const log = createLogger({
    service: 'test',
    destination: { write: (line: string) => void lines.push(line) },
  });
  return { log, lines };
}

test('a connection works, carries its name, and is logged once', async (t) => {
  const { log, lines } = recorder();
  const name = testPrefix();
  const redis = connectRedis(testRedisUrl(), { name, log });
  t.teardown(() => redis.disconnect());
  await waitForRedis(redis);
  t.is(await redis.client('GETNAME'), name);
  t.is(lines.filter((line) => line.includes('Redis connected')).length, 1);
});

test('a server that is not there is reported once, not at every attempt', async (t) => {
  const { log, lines } = recorder();
  const redis = connectRedis(`redis://127.0.0.1:${await freePort()}`, { name: 'nobody', log });
  t.teardown(() => redis.disconnect());
  let attempts = 0;
  redis.on('reconnecting', () => (attempts += 1));
  await eventually(() => attempts >= 4);
  t.is(lines.filter((line) => line.includes('unreachable')).length, 1);
});

test('waiting for a server that is not there ends with its address and the reason', async (t) => {
  const port = await freePort();
  const redis = connectRedis(`redis://:hidden@127.0.0.1:${port}`, { name: 'nobody' });
  t.teardown(() => redis.disconnect());
  const error = await t.throwsAsync(waitForRedis(redis, { withinMs: 300 }), {
    instanceOf: RedisUnavailableError,
  });
  t.regex(error.message, new RegExp(`127\\.0\\.0\\.1:${port} did not respond.*ECONNREFUSED`));
  t.notRegex(error.message, /hidden/);
});

test('waiting ends when it is aborted', async (t) => {
  const redis = connectRedis(`redis://127.0.0.1:${await freePort()}`, { name: 'nobody' });
  t.teardown(() => redis.disconnect());
  await t.throwsAsync(waitForRedis(redis, { signal: AbortSignal.abort() }), {
    instanceOf: RedisUnavailableError,
  });
});

test('a connection comes back by itself, and commands given meanwhile are carried out', async (t) => {
  const { log, lines } = recorder();
  const target = new URL(testRedisUrl());
  const open = new Set<Socket>();
  const relay = createServer((client) => relayTo(target, client, open));
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const redis = connectRedis(`redis://127.0.0.1:${portOf(relay)}`, { name: 'relayed', log });
  t.teardown(() => {
    redis.disconnect();
    relay.close();
  });
  await waitForRedis(redis);
  for (const socket of open) socket.destroy();
  t.is(await redis.ping(), 'PONG');
  await eventually(() => lines.filter((line) => line.includes('Redis connected')).length === 2);
  t.is(lines.filter((line) => line.includes('unreachable')).length, 1);
});

function relayTo(target: URL, client: Socket, open: Set<Socket>): void {
  const upstream = connect(Number(target.port), target.hostname);
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    open.add(from);
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
    from.pipe(to);
  }
}

test('a primary that became a replica is left, however its refusal is worded', (t) => {
  const { reconnectOnError } = redisOptions('test');
  for (const message of [
    "READONLY You can't write against a read only replica.",
    "READONLY You can't write against a read only replica. script: 5d1d, on @user_script:4.",
    "ERR Error running script (call to f_5d1d): @user_script:4: @user_script: 4: -READONLY You can't write against a read only replica.",
    "ERR @user_script: 4: -READONLY You can't write against a read only replica.",
  ]) {
    t.true(reconnectOnError(new Error(message)), message);
  }
  t.false(reconnectOnError(new Error('NOSCRIPT No matching script.')));
  t.false(reconnectOnError(new Error("ERR unknown command 'READONLYX'")));
});
