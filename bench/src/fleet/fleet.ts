import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { API_NODE_FLAGS } from '@epd/ops/local/api-flags.ts';
import type { ManagedProcess, ProcessSpec } from '@epd/ops/local/managed-process.ts';
import { redisBinary } from '@epd/ops/local/redis-binary.ts';
import { redisProcess } from '@epd/ops/local/redis-server.ts';
import { coreSettings } from '@epd/ops/local/share-of-cores.ts';
import { Supervisor } from '@epd/ops/local/supervisor.ts';
import { untilReady } from '@epd/ops/local/until-ready.ts';
import { freePort, projectPath } from '@epd/service';
import { print } from '../report/json.ts';
import { pinned } from '../pin.ts';
import { FleetClient } from './fleet-client.ts';
import { HttpClient } from './http.ts';

export const ROLES = ['api', 'encoder', 'index', 'prefill-decode', 'redis'] as const;
export type Role = (typeof ROLES)[number];
const WORKERS = ['encoder', 'prefill-decode', 'index'] as const;
type Worker = (typeof WORKERS)[number];
/** How a process is ended: asked to stop, or killed. */
export type Ending = 'SIGTERM' | 'SIGKILL';
/** Of the fleet's keys in Redis. */
export const PREFIX = 'bench';
type Environment = Readonly<Record<string, string>>;

export interface FleetOptions {
  readonly modelDir: string;
  /** Processes of each kind of worker. @default 1, of the index 0: then it is off */
  readonly workers?: Partial<Readonly<Record<Worker, number>>>;
  /** Settings of one role's processes, above the defaults. */
  readonly env?: Partial<Readonly<Record<Role, Environment>>>;
  /** Cores of a role, as `taskset -c` takes them; any core where it names none. */
  readonly cores?: Partial<Readonly<Record<Role, string>>>;
}

const MAINS = {
  api: 'api/src/main.ts',
  encoder: 'workers/encoder/src/main.ts',
  'prefill-decode': 'workers/prefill-decode/src/main.ts',
  index: 'workers/index/src/main.ts',
} as const;
const DEFAULT_WORKERS: Readonly<Record<Worker, number>> = {
  encoder: 1,
  'prefill-decode': 1,
  index: 0,
};
type Processes = Readonly<Record<Role, readonly ManagedProcess[]>>;

interface Service {
  readonly role: keyof typeof MAINS;
  readonly name: string;
  /** Of its probes; the API's own. */
  readonly port: number;
}

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
  readonly #processes: Processes;
  readonly #stop: () => Promise<void>;

  private constructor(
    parts: Pick<BenchFleet, 'http' | 'url' | 'redisUrl' | 'folder'> & {
      readonly processes: Processes;
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

  /** The id of the role's first process; 0 when it is not running. */
  pid(role: Role): number {
    return this.pids(role)[0] ?? 0;
  }

  /** The ids of a role's processes; 0 for what is not running. */
  pids(role: Role): number[] {
    return this.#processes[role].map(({ pid }) => pid ?? 0);
  }

  /** Ends one process, for good. Its end disturbs no request. */
  async end(role: Role, pid: number, ending: Ending): Promise<void> {
    const process = this.#processes[role].find((one) => one.pid === pid);
    if (process === undefined) throw new RangeError(`No ${role} runs as process ${pid}`);
    if (ending === 'SIGTERM') await process.stop();
    else process.kill();
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
): Promise<Processes> {
  const redis = await supervisor.add([await redisSpec(options, folder, ports.redis)]);
  const services = await servicesOf(options, ports.api);
  const specs = services.map((service) => node(service, options, folder, ports.redis));
  const started = await supervisor.add(specs);
  await untilReady(
    started.map((process, i) => ({ process, url: readyUrl(services[i]) })),
    { signal },
  );
  const of = (role: Role): ManagedProcess[] => started.filter((_, i) => services[i]?.role === role);
  return {
    redis,
    encoder: of('encoder'),
    index: of('index'),
    'prefill-decode': of('prefill-decode'),
    api: of('api'),
  };
}

const readyUrl = (service: Service | undefined): string =>
  `http://127.0.0.1:${service?.port ?? 0}/readyz`;

async function servicesOf({ workers }: FleetOptions, apiPort: number): Promise<Service[]> {
  const services: Service[] = [];
  for (const role of WORKERS) {
    for (let index = 0; index < (workers?.[role] ?? DEFAULT_WORKERS[role]); index++) {
      services.push({ role, name: `${role}-${index + 1}`, port: await freePort() });
    }
  }
  return [...services, { role: 'api', name: 'api', port: apiPort }];
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
  { role, name, port }: Service,
  options: FleetOptions,
  folder: string,
  redisPort: number,
): ProcessSpec {
  const program = projectPath(MAINS[role]);
  const flags = role === 'api' ? API_NODE_FLAGS : [];
  const workers = { ...DEFAULT_WORKERS, ...options.workers };
  return {
    name,
    ...pinned(options.cores?.[role] ?? null, process.execPath, [...flags, program]),
    env: {
      ...process.env,
      EPD_REDIS_URL: `redis://127.0.0.1:${redisPort}`,
      EPD_PREFIX: PREFIX,
      EPD_MODEL_DIR: options.modelDir,
      EPD_DATA_DIR: folder,
      EPD_STORE: 'folder',
      EPD_STORE_DIR: join(folder, 'store'),
      ...coreSettings(workers.encoder + workers['prefill-decode']),
      EPD_INDEX: String(workers.index > 0),
      EPD_LOG_LEVEL: 'warn',
      // Answers without an end or a meaning repeat themselves: drafts would flatter the fleet.
      EPD_DRAFT_TOKENS: '0',
      ...(role === 'api'
        ? { EPD_PORT: String(port), EPD_HOST: '127.0.0.1' }
        : { EPD_METRICS_PORT: String(port) }),
      ...options.env?.[role],
    },
    logFile: join(folder, 'logs', `${name}.log`),
    stopMs: STOP_MS,
    lifeline: 'channel',
  };
}
