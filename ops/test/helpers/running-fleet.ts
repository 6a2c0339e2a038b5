import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { projectPath } from '@epd/service';
import { eventually, freePort, tempFolder, testPrefix, testRedisUrl } from '@epd/service/testing';

export interface Test {
  teardown(cleanUp: () => Promise<void>): void;
}

/** Processes, one of a kind. `targets` are where Prometheus finds them, by the jobs of the rules. */
export interface RunningFleet {
  readonly url: string;
  readonly prefix: string;
  readonly targets: Readonly<Record<string, string>>;
}

const PROGRAMS = {
  'epd-api': 'api/src/main.ts',
  'epd-encoder': 'workers/encoder/src/main.ts',
  'epd-prefill-decode': 'workers/prefill-decode/src/main.ts',
  'epd-index': 'workers/index/src/main.ts',
};
const START_MS_MAX = 60_000;

export async function runningFleet(
  t: Test,
  jobs: readonly (keyof typeof PROGRAMS)[] = ['epd-api', 'epd-encoder', 'epd-prefill-decode'],
  { redisUrl = testRedisUrl(), prefix = testPrefix() } = {},
): Promise<RunningFleet> {
  const shared = {
    ...process.env,
    EPD_REDIS_URL: redisUrl,
    EPD_PREFIX: prefix,
    EPD_DATA_DIR: await tempFolder(t),
    EPD_LOG_LEVEL: 'warn',
    EPD_STOP_MS: '5000',
  };
  const targets: Record<string, string> = {};
  for (const job of jobs) {
    const port = String(await freePort());
    targets[job] = `127.0.0.1:${port}`;
    start(t, PROGRAMS[job], { ...shared, EPD_PORT: port, EPD_METRICS_PORT: port });
  }
  await Promise.all(Object.values(targets).map(ready));
  return { url: `http://${targets['epd-api']}`, prefix, targets };
}

/** The channel lets a process end itself when the test is gone. */
function start(t: Test, program: string, env: NodeJS.ProcessEnv): void {
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const;
  const child = spawn(process.execPath, [projectPath(program)], { env, stdio: [...stdio] });
  t.teardown(() => stop(child));
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

function ready(target: string): Promise<true> {
  const answers = async (): Promise<boolean> => (await fetch(`http://${target}/readyz`)).ok;
  return eventually(answers, { withinMs: START_MS_MAX, everyMs: 200 });
}
