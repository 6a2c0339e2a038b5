import { spawn, type ChildProcess } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { projectPath } from '@epd/service';
import { eventually, testGraphs, testRedisUrl } from '@epd/service/testing';
import type { ExecutionContext } from 'ava';

export interface WorkerProcesses {
  readonly encoder: ChildProcess;
  readonly 'prefill-decode': ChildProcess;
}

/** One of each beside an API; ready when its model is listed. */
export async function workerProcesses(
  t: ExecutionContext,
  { url, prefix, dataDir }: { url: string; prefix: string; dataDir: string },
  headers: Readonly<Record<string, string>>,
): Promise<WorkerProcesses> {
  await symlink(testGraphs(), join(dataDir, 'graphs'));
  const start = (role: keyof WorkerProcesses) => workerProcess(t, role, { prefix, dataDir });
  const started = { encoder: start('encoder'), 'prefill-decode': start('prefill-decode') };
  const isListed = async (): Promise<boolean> => {
    const models = await fetch(`${url}/v1/models`, { headers });
    return ((await models.json()) as { data: unknown[] }).data.length > 0;
  };
  await eventually(isListed, { withinMs: 60_000 });
  return started;
}

/** A worker as operators run it, beside an API with this prefix and folder. */
function workerProcess(
  t: ExecutionContext,
  role: 'encoder' | 'prefill-decode',
  { prefix, dataDir }: { readonly prefix: string; readonly dataDir: string },
): ChildProcess {
  const child = spawn(process.execPath, [projectPath(`workers/${role}/src/main.ts`)], {
    env: {
      EPD_REDIS_URL: testRedisUrl(),
      EPD_LOG_LEVEL: 'error',
      EPD_DATA_DIR: dataDir,
      EPD_PREFIX: prefix,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}
