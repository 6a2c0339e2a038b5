import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { projectPath } from '@epd/service';
import { guarded } from '../../local/guard.ts';
import { redisBinary } from '../../local/redis-binary.ts';
import type { ChaosProcessSpec } from './chaos-process.ts';

export const PREFIX = 'chaos';
/** Short, so that a lost worker's jobs are taken over within the run; long enough for a busy machine. */
export const LOCK_MS = 4_000;

export interface Ports {
  readonly redis: number;
  readonly redisProxy: number;
  readonly s3: number;
  readonly s3Proxy: number;
  readonly apis: readonly number[];
}

const PROGRAMS: Readonly<Record<string, string>> = {
  api: 'api/src/main.ts',
  encoder: 'workers/encoder/src/main.ts',
  index: 'workers/index/src/main.ts',
  pd: 'workers/prefill-decode/src/main.ts',
  s3: 'ops/local/s3-server.ts',
};

/** Few tokens a step, no drafts and few rows a batch: more steps in which something can happen. */
export function fleetEnvironment(folder: string, ports: Ports): Record<string, string> {
  return {
    EPD_REDIS_URL: `redis://127.0.0.1:${ports.redisProxy}`,
    EPD_PREFIX: PREFIX,
    EPD_STORE: 's3',
    EPD_S3_ENDPOINT: `http://127.0.0.1:${ports.s3Proxy}`,
    EPD_S3_BUCKET: 'epd',
    EPD_S3_ACCESS_KEY_ID: 'local',
    EPD_S3_SECRET_ACCESS_KEY: 'local-secret',
    EPD_HOST: '127.0.0.1',
    EPD_DATA_DIR: join(folder, 'data'),
    EPD_LOCK_MS: String(LOCK_MS),
    EPD_STOP_MS: '10000',
    EPD_DISK_CACHE_BYTES: String(64 * 1024 * 1024),
    EPD_STEP_TOKENS: '64',
    EPD_DRAFT_TOKENS: '0',
    EPD_MAX_BATCH: '4',
    EPD_PD_THREADS: '1',
    EPD_ENCODER_THREADS: '1',
    EPD_ENCODER_TILES_PER_RUN: '4',
    EPD_LOG_LEVEL: 'info',
  };
}

export function nodeSpec(
  name: string,
  folder: string,
  env: Readonly<Record<string, string>>,
  readyPort: number | null,
): ChaosProcessSpec {
  const program = PROGRAMS[name.replace(/-\d+$/, '')];
  if (program === undefined) throw new RangeError(`No program for ${name}`);
  return {
    name,
    command: process.execPath,
    args: [projectPath(program)],
    env: { PATH: process.env['PATH'], ...env },
    logFile: join(folder, 'logs', `${name}.log`),
    readyUrl: readyPort === null ? null : `http://127.0.0.1:${readyPort}/readyz`,
    lifeline: 'channel',
  };
}

/** As the launcher starts it, with the guard that ends it when the harness has ended. */
export async function redisSpec(folder: string, port: number): Promise<ChaosProcessSpec> {
  const binary = await redisBinary(() => {});
  const dir = join(folder, 'redis');
  await mkdir(dir, { recursive: true });
  const settings = {
    port,
    bind: '127.0.0.1',
    dir,
    appendonly: 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
    save: '',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return {
    name: 'redis',
    ...guarded(binary.path, args),
    env: {
      PATH: process.env['PATH'],
      ...(binary.libraries === null ? {} : { LD_LIBRARY_PATH: binary.libraries }),
    },
    logFile: join(folder, 'logs', 'redis.log'),
    readyUrl: null,
    lifeline: 'stdin',
  };
}
