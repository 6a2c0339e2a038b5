import { spawn, type ChildProcess } from 'node:child_process';
import { eventually, freePort, tempFolder, testPrefix, testRedisUrl } from '@epd/service/testing';
import type { ExecutionContext } from 'ava';

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname;

interface ApiProcess {
  readonly child: ChildProcess;
  readonly prefix: string;
  /** What it has written to its log, and what Node has said. */
  readonly output: string[];
}

/** An API as operators run it, in a process of its own. `flags` are Node's. */
export function apiProcess(
  t: ExecutionContext,
  env: Record<string, string>,
  flags: readonly string[] = [],
): ApiProcess {
  const prefix = testPrefix();
  const child = spawn(process.execPath, [...flags, MAIN], {
    env: {
      EPD_REDIS_URL: testRedisUrl(),
      EPD_LOG_LEVEL: 'error',
      ...env,
      EPD_PREFIX: prefix,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const output: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  return { child, prefix, output };
}

export interface ListeningApi extends ApiProcess {
  readonly port: number;
  readonly url: string;
  readonly dataDir: string;
}

/** One that is ready, on a port and with a folder of its own. */
export async function listeningApi(
  t: ExecutionContext,
  env: Record<string, string> = {},
  flags: readonly string[] = [],
): Promise<ListeningApi> {
  const port = await freePort();
  const dataDir = await tempFolder(t);
  const own = { EPD_PORT: String(port), EPD_DATA_DIR: dataDir };
  const started = apiProcess(t, { ...own, ...env }, flags);
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => (await fetch(`${url}/readyz`)).ok, { withinMs: 60_000 });
  return { ...started, port, url, dataDir };
}
