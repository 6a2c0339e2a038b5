import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createObjectStore, type ObjectStore } from '@epd/connector';
import { connectRedis, freePort, waitForRedis } from '@epd/service';
import type { Redis } from 'ioredis';
import { ChaosProcess } from './chaos-process.ts';
import { Losses } from './losses.ts';
import { FaultProxy } from './fault-proxy.ts';
import { fleetEnvironment, nodeSpec, redisSpec, PREFIX, type Ports } from './specs.ts';

const STARTS_MAX = 8;
const READY_EVERY_MS = 100;
const MEMORY_EVERY_MS = 200;

export interface WorldOptions {
  readonly folder: string;
  readonly apis?: number;
  readonly encoders?: number;
  readonly pds?: number;
  /** Index workers; with none the index is off. */
  readonly indexes?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * A fleet whose parts may be broken: Redis and S3 behind proxies, every process kept alive. `redis` and
 * `store` are the harness's own ways in, past the proxies.
 */
export class World {
  readonly folder: string;
  readonly prefix = PREFIX;
  readonly losses = new Losses();
  readonly processes = new Map<string, ChaosProcess>();
  readonly redisProxy: FaultProxy;
  readonly s3Proxy: FaultProxy;
  readonly urls: readonly string[];
  readonly redisUrl: string;
  readonly redis: Redis;
  readonly store: ObjectStore;
  readonly #ports: Ports;
  #sampling: NodeJS.Timeout | null = null;

  private constructor(folder: string, ports: Ports, store: ObjectStore) {
    this.folder = folder;
    this.#ports = ports;
    this.redisProxy = new FaultProxy(ports.redisProxy, ports.redis);
    this.s3Proxy = new FaultProxy(ports.s3Proxy, ports.s3);
    this.urls = ports.apis.map((port) => `http://127.0.0.1:${port}`);
    this.redisUrl = `redis://127.0.0.1:${ports.redis}`;
    this.redis = connectRedis(this.redisUrl, { name: 'chaos' });
    this.store = store;
  }

  /** Starts everything and waits until all of it is ready. `stop` must follow, also when this throws. */
  static async create(options: WorldOptions): Promise<World> {
    const { folder, apis = 2, encoders = 2, pds = 2, indexes = 0 } = options;
    const ports: Ports = {
      redis: await freePort(),
      redisProxy: await freePort(),
      s3: await freePort(),
      s3Proxy: await freePort(),
      apis: await portsFor(apis),
    };
    const world = new World(folder, ports, await storeAt(ports.s3));
    await mkdir(join(folder, 'logs'), { recursive: true });
    await world.#addFoundations();
    const indexed = { EPD_INDEX: String(indexes > 0) };
    const env = { ...fleetEnvironment(folder, ports), ...indexed, ...options.env };
    for (const [index, port] of ports.apis.entries())
      world.#add(nodeSpec(`api-${index + 1}`, folder, { ...env, EPD_PORT: String(port) }, port));
    for (const [role, count] of [
      ['encoder', encoders],
      ['pd', pds],
      ['index', indexes],
    ] as const)
      for (const [index, port] of (await portsFor(count)).entries())
        world.#add(
          nodeSpec(`${role}-${index + 1}`, folder, workerEnv(env, folder, role, index, port), port),
        );
    return world;
  }

  async start(withinMs: number): Promise<void> {
    await this.redisProxy.listen();
    await this.s3Proxy.listen();
    for (const process of this.processes.values()) process.start();
    this.#sampling = setInterval(() => this.#sampleMemory(), MEMORY_EVERY_MS);
    await waitForRedis(this.redis, { withinMs });
    await this.ready(withinMs);
  }

  /** Waits until every process says that it is ready. Throws with the names of those that do not. */
  async ready(withinMs: number): Promise<void> {
    const endMs = performance.now() + withinMs;
    for (;;) {
      const unready = await this.#unready();
      if (unready.length === 0) return;
      this.#checkStarts();
      if (performance.now() > endMs)
        throw new Error(`Not ready within ${withinMs} ms: ${unready.join(', ')}`);
      await sleep(READY_EVERY_MS);
    }
  }

  process(name: string): ChaosProcess {
    const process = this.processes.get(name);
    if (process === undefined) throw new RangeError(`No process ${name}`);
    return process;
  }

  named(...prefixes: readonly string[]): ChaosProcess[] {
    return [...this.processes.values()].filter(({ name }) =>
      prefixes.some((prefix) => name.startsWith(prefix)),
    );
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#sampling !== null) clearInterval(this.#sampling);
    await Promise.all(
      this.named('api', 'encoder', 'pd', 'index').map((process) => process.stop(signal)),
    );
    this.redis.disconnect();
    await this.store.close();
    await Promise.all([this.redisProxy.close(), this.s3Proxy.close()]);
    await Promise.all([...this.processes.values()].map((process) => process.stop(signal)));
  }

  async #addFoundations(): Promise<void> {
    const { folder } = this;
    this.#add(await redisSpec(folder, this.#ports.redis));
    const env = {
      EPD_S3_SERVER_DIR: join(folder, 's3'),
      EPD_S3_SERVER_PORT: String(this.#ports.s3),
      EPD_S3_BUCKET: 'epd',
    };
    await mkdir(join(folder, 's3'), { recursive: true });
    this.#add({
      ...nodeSpec('s3', folder, env, null),
      readyUrl: `http://127.0.0.1:${this.#ports.s3}/epd`,
    });
  }

  #add(spec: ConstructorParameters<typeof ChaosProcess>[0]): void {
    this.processes.set(spec.name, new ChaosProcess(spec));
  }

  async #unready(): Promise<string[]> {
    const all = [...this.processes.values()];
    const ready = await Promise.all(all.map((process) => process.isReady()));
    return all.filter((_, index) => !ready[index]).map(({ name }) => name);
  }

  /** What cannot start is not worth waiting for. */
  #checkStarts(): void {
    for (const { name, surprises, spec } of this.processes.values()) {
      if (surprises.length < STARTS_MAX) continue;
      throw new Error(`${name} does not stay up (${surprises.join(', ')}); see ${spec.logFile}`);
    }
  }

  #sampleMemory(): void {
    for (const process of this.processes.values()) process.sampleMemory();
  }
}

/** The fleet's store, past the proxy. */
const storeAt = (port: number): Promise<ObjectStore> =>
  createObjectStore({
    kind: 's3',
    endpoint: `http://127.0.0.1:${port}`,
    bucket: 'epd',
    region: 'us-east-1',
    accessKeyId: 'local',
    secretAccessKey: 'local-secret',
    forcePathStyle: true,
  });

function portsFor(count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, () => freePort()));
}

/** Each worker has a data folder of its own: the disk tier of one is to fail alone. */
function workerEnv(
  env: Readonly<Record<string, string>>,
  folder: string,
  role: string,
  index: number,
  port: number,
): Record<string, string> {
  const own = join(folder, 'data', `${role}-${index + 1}`);
  return { ...env, EPD_METRICS_PORT: String(port), EPD_DATA_DIR: own };
}
