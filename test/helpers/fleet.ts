import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startS3 } from '@epd/connector/testing';
import {
  eventually,
  freePort,
  tempFolder,
  testGraphs,
  testPrefix,
  testRedisUrl,
} from '@epd/service/testing';
import type { ExecutionContext } from 'ava';

type Role = 'api' | 'encoder' | 'index' | 'prefill-decode';

/** Whose end is the fleet's: a test, or what stands for many. */
export interface Owner {
  teardown(cleanUp: () => Promise<void>): void;
}

/** An owner for what several tests share; `end` ends it, the newest first. */
export function sharedOwner(): Owner & { end(): Promise<void> } {
  const cleanUps: (() => Promise<void>)[] = [];
  return {
    teardown: (cleanUp) => void cleanUps.push(cleanUp),
    end: async () => {
      for (const cleanUp of cleanUps.toReversed()) await cleanUp();
    },
  };
}

export interface FleetOptions {
  readonly encoders?: number;
  readonly pds?: number;
  readonly store?: 'folder' | 's3';
  readonly env?: Readonly<Record<string, string>>;
  /** Of the API, where the environment sets any. */
  readonly apiKey?: string;
}

interface FleetProcess {
  readonly role: Role;
  readonly child: ChildProcess;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** A fleet of real processes with a Redis prefix, a store and ports of its own; ends with its owner. */
export interface Fleet {
  readonly url: string;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  start(role: Role, env?: Readonly<Record<string, string>>): FleetProcess;
  processes(role: Role): readonly FleetProcess[];
  /** Waits until a model is listed, which takes a worker that has loaded it; of no workers, until the API answers. */
  ready(workers: number, apiKey?: string): Promise<void>;
}

const MAINS: Record<Role, string> = {
  api: 'api/src/main.ts',
  encoder: 'workers/encoder/src/main.ts',
  index: 'workers/index/src/main.ts',
  'prefill-decode': 'workers/prefill-decode/src/main.ts',
};
/** Every process of a fleet starts at once, beside those of other tests. */
const READY_MS = 120_000;

/** A fleet of the test's own. */
export async function startFleet(t: ExecutionContext, options: FleetOptions = {}): Promise<Fleet> {
  const fleet = await launchFleet(t, options);
  logOnFailure(t, fleet);
  return fleet;
}

export async function launchFleet(owner: Owner, options: FleetOptions = {}): Promise<Fleet> {
  const { encoders = 1, pds = 1 } = options;
  const folder = await tempFolder(owner);
  await symlink(testGraphs(), join(folder, 'graphs'));
  const port = await freePort();
  const env = {
    EPD_REDIS_URL: testRedisUrl(),
    EPD_PREFIX: testPrefix(),
    EPD_PORT: String(port),
    EPD_HOST: '127.0.0.1',
    EPD_DATA_DIR: folder,
    EPD_LOG_LEVEL: 'info',
    ...(await storeEnv(owner, options.store ?? 'folder')),
    ...options.env,
  };
  const fleet = new LocalFleet(`http://127.0.0.1:${port}`, folder, env);
  owner.teardown(() => fleet.stop());
  fleet.start('api');
  for (let i = 0; i < encoders; i++) fleet.start('encoder');
  for (let i = 0; i < pds; i++) fleet.start('prefill-decode');
  await fleet.ready(encoders + pds, options.apiKey);
  return fleet;
}

/** A failed test is read with what the processes said last. */
export function logOnFailure(t: ExecutionContext, { folder }: Fleet): void {
  t.teardown(async () => {
    if (!t.passed) t.log(await lastLines(folder));
  });
}

class LocalFleet implements Fleet {
  readonly url: string;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly #processes: FleetProcess[] = [];

  constructor(url: string, folder: string, env: Readonly<Record<string, string>>) {
    this.url = url;
    this.folder = folder;
    this.env = env;
  }

  start(role: Role, env: Readonly<Record<string, string>> = {}): FleetProcess {
    const started = startProcess(
      role,
      { ...this.env, ...env },
      this.folder,
      this.#processes.length,
    );
    this.#processes.push(started);
    return started;
  }

  processes(role: Role): readonly FleetProcess[] {
    return this.#processes.filter((process) => process.role === role);
  }

  async ready(workers: number, apiKey?: string): Promise<void> {
    const headers: Record<string, string> = apiKey ? { authorization: `Bearer ${apiKey}` } : {};
    const models = async (): Promise<{ data: unknown[] }> =>
      (await (await fetch(`${this.url}/v1/models`, { headers })).json()) as { data: unknown[] };
    const isReady = async () => (await models()).data.length > 0 || workers === 0;
    try {
      await eventually(isReady, { withinMs: READY_MS });
    } catch (cause) {
      throw new Error(await lastLines(this.folder), { cause });
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.stop('SIGKILL')));
  }
}

function startProcess(
  role: Role,
  env: Readonly<Record<string, string>>,
  folder: string,
  index: number,
): FleetProcess {
  const root = join(import.meta.dirname, '../..');
  const child = spawn(process.execPath, [join(root, MAINS[role])], {
    env: { ...inherited(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = createWriteStream(join(folder, `${index}-${role}.log`));
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  return { role, child, stop: (signal = 'SIGTERM') => stopProcess(child, signal) };
}

const inherited = () => ({
  PATH: process.env['PATH'],
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
});

async function stopProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
  return child.exitCode;
}

async function storeEnv(t: Owner, store: 'folder' | 's3'): Promise<Record<string, string>> {
  if (store === 'folder') return { EPD_STORE: 'folder' };
  const s3 = await startS3(t);
  return {
    EPD_STORE: 's3',
    EPD_S3_ENDPOINT: s3.endpoint,
    EPD_S3_BUCKET: s3.bucket,
    EPD_S3_ACCESS_KEY_ID: s3.accessKeyId,
    EPD_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
  };
}

/** Lets a fleet come to the middle of its work. */
export const aWhile = (ms: number): Promise<void> => sleep(ms);

/** What each process said last. */
async function lastLines(folder: string): Promise<string> {
  const logs = (await readdir(folder)).filter((name) => name.endsWith('.log'));
  const texts = logs.map(async (name) => {
    const lines = (await readFile(join(folder, name), 'utf8')).trimEnd().split('\n');
    return `${name}:\n${lines.slice(-8).join('\n')}`;
  });
  return (await Promise.all(texts)).join('\n');
}
