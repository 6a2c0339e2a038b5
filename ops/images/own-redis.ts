import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { connectRedis, waitForRedis } from '@epd/service';
import { freePort } from '@epd/service/testing';
import { redisBinary } from '../local/redis-binary.ts';
import { redisProcess } from '../local/redis-server.ts';
import { Supervisor } from '../local/supervisor.ts';

/** A Redis that lives as long as a trial; the one that `EPD_REDIS_URL` names in its place. */
export async function ownRedis(parent: string): Promise<{ url: string; stop(): Promise<void> }> {
  const given = process.env['EPD_REDIS_URL'];
  if (given) return { url: given, stop: async () => {} };
  const folder = join(parent, 'redis');
  await mkdir(folder);
  const port = await freePort();
  const logFile = join(folder, 'redis.log');
  const supervisor = new Supervisor(() => {});
  const binary = await redisBinary((line) => void process.stdout.write(`${line}\n`));
  await supervisor.add([redisProcess({ binary, port, folder, logFile, durable: true })]);
  const url = `redis://127.0.0.1:${port}`;
  const connection = connectRedis(url, { name: 'trial' });
  await waitForRedis(connection).finally(() => connection.disconnect());
  return { url, stop: () => supervisor.stop() };
}
