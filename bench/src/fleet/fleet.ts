import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ManagedProcess, ProcessSpec } from '@epd/infra/local/managed-process.ts';
import { redisBinary } from '@epd/infra/local/redis-binary.ts';
import { redisProcess } from '@epd/infra/local/redis-server.ts';
import { coreSettings } from '@epd/infra/local/share-of-cores.ts';
import { Supervisor } from '@epd/infra/local/supervisor.ts';
import { untilReady } from '@epd/infra/local/until-ready.ts';
import { freePort, projectPath } from '@epd/service';
import { print } from '../json.ts';
import { pinned } from '../pin.ts';
import { FleetClient } from './fleet-client.ts';
import { HttpClient } from './http.ts';

export const ROLES = ['api', 'encoder', 'prefill-decode', 'redis'] as const;
export type Role = (typeof ROLES)[number];
type Environment = Readonly<Record<string, string>>;

export interface FleetOptions {
  readonly modelDir: string;
  /** Settings of one role's processes, above the defaults. */
  readonly env?: Partial<Readonly<Record<Role, Environment>>>;
  /** Cores of a role, as `taskset -c` takes them; any core where it names none. */
  readonly cores?: Partial<Readonly<Record<Role, string>>>;
}

const MAINS = {
  api: 'api/src/main.ts',
  encoder: 'workers/encoder/src/main.ts',
  'prefill-decode': 'workers/prefill-decode/src/main.ts',
} as const;
const WORKERS = ['encoder', 'prefill-decode'] as const;
const STOP_MS = 10_000;
const LOG_LINES = 10;

/** A whole fleet with a Redis and a folder of its own: what `npm start` starts, held to cores. */
export class BenchFleet {
  readonly client: FleetClient;
  readonly http: HttpClient;
  readonly url: string;
  readonly redisUrl: string;
  /** Where everything is that the processes write. */
  readonly folder: string;
  readonly #processes: ReadonlyMap<Role, ManagedProcess>;
  readonly #stop: () => Promise<void>;

  private constructor(
    parts: Pick<BenchFleet, 'http' | 'url' | 'redisUrl' | 'folder'> & {
      readonly processes: ReadonlyMap<Role, ManagedProcess>;
      readonly stop: () => Promise<void>;
    },
  ) {
    this.http = parts.http;
    this.client = new FleetClient(parts.http);
    this.url = parts.url;
    this.redisUrl = parts.redisUrl;
    this.folder = parts.folder;
    this.#processes = parts.processes;
    this.#stop = parts.stop;
  }

  /** Resolves when every process is ready. `stop` must follow. A process that dies ends every request. */
  static async start(options: FleetOptions): Promise<BenchFleet> {
    const folder = await mkdtemp(join(tmpdir(), 'epd-bench-'));
    const died = new AbortController();
    const supervisor = new Supervisor(({ name, code, signal }, { spec }) => {
      const log = readFileSync(spec.logFile, 'utf8').trimEnd().split('\n').slice(-LOG_LINES);
      const how = `${name} ended during the measurement (${signal ?? code}). Its log ends:`;
      died.abort(new Error([how, ...log].join('\n')));
    });
    const stop = async (): Promise<void> => {
      await supervisor.stop();
      await rm(folder, { recursive: true, force: true });
    };
    try {
      const ports = { redis: await freePort(), api: await freePort() };
      const processes = await startAll(supervisor, options, folder, ports, died.signal);
      const url = `http://127.0.0.1:${ports.api}`;
      const http = new HttpClient(url, died.signal);
      return new BenchFleet({
        http,
        url,
        redisUrl: `redis://127.0.0.1:${ports.redis}`,
        folder,
        processes,
        stop: async () => {
          http.close();
          await stop();
        },
      });
    } catch (error) {
      await stop();
      throw died.signal.aborted ? died.signal.reason : error;
    }
  }

  /** A process's id; 0 when it is not running. */
  pid(role: Role): number {
    return this.#processes.get(role)?.pid ?? 0;
  }

  stop(): Promise<void> {
    return this.#stop();
  }
}

async function startAll(
  supervisor: Supervisor,
  options: FleetOptions,
  folder: string,
  ports: { readonly redis: number; readonly api: number },
  signal: AbortSignal,
): Promise<ReadonlyMap<Role, ManagedProcess>> {
  const [redis] = await supervisor.add([await redisSpec(options, folder, ports.redis)]);
  const metrics = [await freePort(), await freePort()];
  const specs = [
    ...WORKERS.map((role, i) => node(role, options, folder, ports, metrics[i] ?? 0)),
    node('api', options, folder, ports, 0),
  ];
  const started = await supervisor.add(specs);
  const urls = [...metrics, ports.api].map((port) => `http://127.0.0.1:${port}/readyz`);
  await untilReady(
    started.map((process, i) => ({ process, url: urls[i] ?? '' })),
    { signal },
  );
  const roles: readonly Role[] = ['redis', ...WORKERS, 'api'];
  return new Map(
    [redis, ...started].flatMap((process, i) => {
      const role = roles[i];
      return process === undefined || role === undefined ? [] : [[role, process] as const];
    }),
  );
}

async function redisSpec(
  options: FleetOptions,
  folder: string,
  port: number,
): Promise<ProcessSpec> {
  const data = join(folder, 'redis');
  await mkdir(data);
  const binary = await redisBinary(print);
  const logFile = join(folder, 'logs/redis.log');
  const spec = redisProcess({ binary, port, folder: data, logFile, durable: true });
  return { ...spec, ...pinned(options.cores?.redis ?? null, spec.command, spec.args) };
}

function node(
  role: keyof typeof MAINS,
  options: FleetOptions,
  folder: string,
  ports: { readonly redis: number; readonly api: number },
  metricsPort: number,
): ProcessSpec {
  const program = projectPath(MAINS[role]);
  return {
    name: role,
    ...pinned(options.cores?.[role] ?? null, process.execPath, [program]),
    env: {
      ...process.env,
      EPD_REDIS_URL: `redis://127.0.0.1:${ports.redis}`,
      EPD_PREFIX: 'bench',
      EPD_MODEL_DIR: options.modelDir,
      EPD_DATA_DIR: folder,
      EPD_STORE: 'folder',
      EPD_STORE_DIR: join(folder, 'store'),
      EPD_METRICS_PORT: String(metricsPort),
      ...coreSettings(WORKERS.length),
      EPD_LOG_LEVEL: 'warn',
      ...(role === 'api' ? { EPD_PORT: String(ports.api), EPD_HOST: '127.0.0.1' } : {}),
      ...options.env?.[role],
    },
    logFile: join(folder, 'logs', `${role}.log`),
    stopMs: STOP_MS,
    lifeline: 'channel',
  };
}
