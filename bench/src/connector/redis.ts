import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { redisBinary } from '@epd/ops/local/redis-binary.ts';
import { redisProcess } from '@epd/ops/local/redis-server.ts';
import { Supervisor } from '@epd/ops/local/supervisor.ts';
import { freePort } from '@epd/service';
import { Redis } from 'ioredis';
import { print } from '../report/json.ts';

/** A Redis of its own, as the fleet runs it. */
export class BenchRedis implements AsyncDisposable {
  readonly url: string;
  readonly #supervisor: Supervisor;
  readonly #folder: string;

  private constructor(url: string, supervisor: Supervisor, folder: string) {
    this.url = url;
    this.#supervisor = supervisor;
    this.#folder = folder;
  }

  static async start(): Promise<BenchRedis> {
    const folder = await mkdtemp(join(tmpdir(), 'epd-bench-redis-'));
    const port = await freePort();
    const data = join(folder, 'redis');
    await mkdir(data);
    await mkdir(join(folder, 'logs'));
    const binary = await redisBinary(print);
    const logFile = join(folder, 'logs/redis.log');
    const supervisor = new Supervisor(() => {});
    await supervisor.add([redisProcess({ binary, port, folder: data, logFile, durable: true })]);
    const started = new BenchRedis(`redis://127.0.0.1:${port}`, supervisor, folder);
    await untilItAnswers(started.url);
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#supervisor.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function untilItAnswers(url: string): Promise<void> {
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  // Refused until the server listens.
  redis.on('error', () => {});
  await redis.ping();
  redis.disconnect();
}
