import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { connectRedis, freePort, projectPath, waitForRedis, withoutPassword } from '@epd/service';
import { API_NODE_FLAGS } from './api-flags.ts';
import { claimDataFolder, releaseDataFolder, writeFleetState } from './fleet-file.ts';
import {
  fleetPrefix,
  sharedEnvironment,
  writeEnvironmentFile,
  type S3Location,
} from './fleet-environment.ts';
import { openFleetModels, type FleetModel } from './fleet-models.ts';
import type { FleetOptions } from './fleet-options.ts';
import type { Death, ProcessSpec } from './managed-process.ts';
import { redisBinary } from './redis-binary.ts';
import { redisProcess } from './redis-server.ts';
import { Supervisor } from './supervisor.ts';
import { shown } from './shown-path.ts';
import { untilReady, type Watched } from './until-ready.ts';

type Environment = Record<string, string | undefined>;

/** More than the process takes itself, so that it is the one to cut its stop short and say so. */
const KILL_AFTER_EXTRA_MS = 3_000;

/** One that was just started reads its append-only file first; one that is given is there or is not. */
const REDIS_WITHIN_MS = 8_000;

/** A fleet on this machine: `start`, then `stop`, each once. */
export class Fleet {
  readonly options: FleetOptions;
  readonly #say: (line: string) => void;
  readonly #supervisor: Supervisor;
  #claimed = false;
  #redisUrl = '';
  #models: readonly FleetModel[] = [];
  #stateWritten = Promise.resolve();

  constructor(options: FleetOptions, say: (line: string) => void) {
    this.options = options;
    this.#say = say;
    this.#supervisor = new Supervisor((death) => this.#mourn(death));
  }

  /** The API processes, as a client reaches them. */
  get urls(): readonly string[] {
    const { host, port, apis } = this.options;
    const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
    return Array.from({ length: apis }, (_, index) => `http://${reachable}:${port + index}`);
  }

  /** Once it has started. */
  get models(): readonly FleetModel[] {
    return this.#models;
  }

  get redisUrl(): string {
    return this.#redisUrl;
  }

  /** The environment of its processes, for more of them to be started by hand. */
  get environmentFile(): string {
    return join(this.options.dataDir, 'fleet.env');
  }

  /** Whether it has started any process yet. */
  get hasProcesses(): boolean {
    return this.#supervisor.processes.length > 0;
  }

  get prefix(): string {
    return fleetPrefix(this.options);
  }

  /** Resolves when every process is ready. `stop` must follow, also when this throws. */
  async start(signal: AbortSignal): Promise<void> {
    await claimDataFolder(this.options.dataDir);
    this.#claimed = true;
    await Promise.all(this.urls.map((_, index) => this.#checkPort(this.options.port + index)));
    this.#models = await openFleetModels(this.options, this.#say, signal);
    this.#redisUrl = this.options.redisUrl ?? (await this.#startRedis());
    await this.#checkRedis(signal);
    const env = sharedEnvironment(this.options, {
      redisUrl: this.#redisUrl,
      s3: this.options.store === 's3' ? await this.#s3(signal) : null,
    });
    await writeEnvironmentFile(this.environmentFile, { ...env, ...this.#models[0]?.env });
    const watched = [...(await this.#startWorkers(env)), ...(await this.#startApis(env))];
    await this.#writeState();
    const onReady = (name: string, ms: number): void =>
      this.#say(`${name.padEnd(18)}ready after ${(ms / 1000).toFixed(1)} s`);
    const onWaiting = (name: string, reason: string): void =>
      this.#say(`${name.padEnd(18)}waits: ${reason}`);
    await untilReady(watched, { signal, onReady, onWaiting });
    await this.#writeState();
  }

  async stop(): Promise<void> {
    await this.#supervisor.stop();
    if (this.#claimed) await releaseDataFolder(this.options.dataDir);
  }

  /** Ends every process at once, without its leave. */
  kill(): void {
    this.#supervisor.kill();
  }

  async #startRedis(): Promise<string> {
    const binary = await redisBinary(this.#say);
    const folder = join(this.options.dataDir, 'redis');
    await mkdir(folder, { recursive: true });
    const port = await freePort();
    const logFile = this.#logFile('redis');
    await this.#supervisor.add([redisProcess({ binary, port, folder, logFile, durable: true })]);
    this.#say(
      `${'redis'.padEnd(18)}${binary.version} on 127.0.0.1:${port}, data in ${shown(folder)}`,
    );
    return `redis://127.0.0.1:${port}`;
  }

  async #checkRedis(signal: AbortSignal): Promise<void> {
    const redis = connectRedis(this.#redisUrl, { name: 'launcher' });
    try {
      await waitForRedis(redis, { withinMs: REDIS_WITHIN_MS, signal });
    } finally {
      redis.disconnect();
    }
    if (this.options.redisUrl) {
      this.#say(
        `${'redis'.padEnd(18)}${withoutPassword(this.#redisUrl)}, keys under ${this.prefix}:`,
      );
    }
  }

  /** The S3 that the settings name, else the embedded one. */
  async #s3(signal: AbortSignal): Promise<S3Location> {
    const { s3Endpoint, s3Bucket, s3Region: region, dataDir } = this.options;
    if (s3Endpoint || s3Bucket) return this.#givenS3();
    const folder = join(dataDir, 's3');
    const [bucket, port] = ['epd', await freePort()];
    await mkdir(folder, { recursive: true });
    const env = {
      EPD_S3_SERVER_DIR: folder,
      EPD_S3_SERVER_PORT: String(port),
      EPD_S3_BUCKET: bucket,
    };
    const [server] = await this.#supervisor.add([
      this.#node('s3', 'ops/local/s3-server.ts', { ...process.env, ...env }),
    ]);
    const endpoint = `http://127.0.0.1:${port}`;
    if (server) await untilReady([{ process: server, url: `${endpoint}/${bucket}` }], { signal });
    this.#say(`${'s3'.padEnd(18)}embedded, ${endpoint}/${bucket}, data in ${shown(folder)}`);
    const keys = { accessKeyId: 'local', secretAccessKey: 'local-secret' };
    return { endpoint, bucket, region, forcePathStyle: true, ...keys };
  }

  #givenS3(): S3Location {
    const { s3Endpoint, s3Bucket, s3Region, s3AccessKeyId, s3SecretAccessKey, s3ForcePathStyle } =
      this.options;
    const bucket = s3Bucket ?? 'epd';
    this.#say(`${'s3'.padEnd(18)}${s3Endpoint ?? 'AWS'}, bucket ${bucket}`);
    return {
      endpoint: s3Endpoint,
      bucket,
      region: s3Region,
      accessKeyId: s3AccessKeyId,
      secretAccessKey: s3SecretAccessKey,
      forcePathStyle: s3ForcePathStyle,
    };
  }

  async #startWorkers(env: Environment): Promise<Watched[]> {
    const { encoders, pds, index: hasIndex, programs } = this.options;
    const roles = [
      { name: 'encoder', program: programs.encoder, count: encoders },
      { name: 'prefill-decode', program: programs.pd, count: pds },
    ];
    const workers: { name: string; program: string; env: Environment }[] = roles.flatMap(
      ({ name, program, count }) =>
        this.#models
          .flatMap((model) => Array<FleetModel>(count).fill(model))
          .map((model, index) => ({ name: `${name}-${index + 1}`, program, env: model.env })),
    );
    if (hasIndex) workers.push({ name: 'index', program: programs.index, env: {} });
    const ports = await Promise.all(workers.map(() => freePort()));
    const specs = workers.map((worker, index) =>
      this.#node(worker.name, worker.program, {
        ...env,
        ...worker.env,
        EPD_METRICS_PORT: String(ports[index]),
      }),
    );
    const processes = await this.#supervisor.add(specs);
    return processes.map((process, index) => ({
      process,
      url: `http://127.0.0.1:${ports[index]}/readyz`,
    }));
  }

  async #startApis(env: Environment): Promise<Watched[]> {
    const { host, port, programs } = this.options;
    const specs = this.urls.map((_, index) => {
      const own = { ...env, EPD_HOST: host, EPD_PORT: String(port + index) };
      return this.#node(`api-${index + 1}`, programs.api, own, API_NODE_FLAGS);
    });
    const processes = await this.#supervisor.add(specs);
    return processes.map((process, index) => ({ process, url: `${this.urls[index]}/readyz` }));
  }

  #node(
    name: string,
    program: string,
    env: Environment,
    flags: readonly string[] = [],
  ): ProcessSpec {
    return {
      name,
      command: process.execPath,
      args: [...flags, projectPath(program)],
      env,
      logFile: this.#logFile(name),
      stopMs: this.options.stopMs + KILL_AFTER_EXTRA_MS,
      lifeline: 'channel',
    };
  }

  #logFile(name: string): string {
    return join(this.options.dataDir, 'logs', `${name}.log`);
  }

  async #checkPort(port: number): Promise<void> {
    const { host } = this.options;
    await new Promise<void>((resolve, reject) => {
      const server = createServer();
      server.once('error', (error) => reject(new Error(portMessage(host, port), { cause: error })));
      server.listen(port, host, () => server.close(() => resolve()));
    });
  }

  #mourn({ name, code, signal, restartInMs }: Death): void {
    if (restartInMs === null) return; // the end of the start tells of it
    const how = signal ? `was killed by ${signal}` : `exited with code ${code}`;
    this.#say(
      `${name} ${how}; restarting in ${restartInMs / 1000} s (log: ${shown(this.#logFile(name))})`,
    );
    // The pid that comes after is known once it runs.
    setTimeout(() => void this.#writeState(), restartInMs + 200).unref();
  }

  async #writeState(): Promise<void> {
    const state = {
      pid: process.pid,
      api: this.urls,
      redis: withoutPassword(this.#redisUrl),
      prefix: this.prefix,
      processes: this.#supervisor.processes.map(({ spec, pid }) => ({ name: spec.name, pid })),
    };
    this.#stateWritten = this.#stateWritten.then(() =>
      writeFleetState(this.options.dataDir, state),
    );
    await this.#stateWritten;
  }
}

function portMessage(host: string, port: number): string {
  return `Port ${port} of ${host} is not available (used by another process?). Use another one: EPD_PORT=8090 npm start`;
}
