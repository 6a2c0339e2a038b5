/**
 * `npm test`, and `npm run test:fleet` for what kills processes or wants large tools; with files or ava's
 * flags behind `--`, just those. Gives the tests a Redis, and with `--real-s3` a real S3 server, runs ava,
 * and ends with the line `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectRedis, freePort, projectPath, waitForRedis } from '@epd/service';
import { planFleetTests, planTests } from '../lanes/plan-run.ts';
import { startRealS3 } from '../local/real-s3.ts';
import { redisBinary } from '../local/redis-binary.ts';
import { redisProcess } from '../local/redis-server.ts';
import { stopRequest } from '../local/stop-request.ts';
import { Supervisor } from '../local/supervisor.ts';
import { TestCounter, type TestCount } from '../local/test-count.ts';
import { complain, say } from '../local/with-fleet.ts';

type Environment = Record<string, string>;

const AVA = projectPath('node_modules/ava/entrypoints/cli.js');

async function test(args: readonly string[]): Promise<TestCount> {
  const folder = await mkdtemp(join(tmpdir(), 'epd-tests-'));
  const cleanUps: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = stopRequest(() => process.exit(1));
  try {
    const env = {
      EPD_TEST_GRAPHS: join(folder, 'graphs'),
      ...(await redis(join(folder, 'redis'), cleanUps)),
      ...(args.includes('--real-s3') ? await realS3(join(folder, 's3'), cleanUps) : {}),
    };
    return await ava(await whatToRun(args, cleanUps), env, stop.signal);
  } finally {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
    stop.dispose();
  }
}

/** What is named runs as it is named; a whole lane as it is planned. */
async function whatToRun(
  args: readonly string[],
  cleanUps: (() => Promise<unknown>)[],
): Promise<readonly string[]> {
  const named = args.filter((arg) => arg !== '--real-s3' && arg !== '--fleet');
  if (named.some((arg) => !arg.startsWith('-'))) return named;
  const fleet = args.includes('--fleet');
  const planned = await (fleet ? planFleetTests(args.includes('--real-s3')) : planTests());
  cleanUps.push(() => planned.clean());
  return [...named, ...planned.files];
}

/** The one that is given, else one that lives as long as the run. */
async function redis(folder: string, cleanUps: (() => Promise<unknown>)[]): Promise<Environment> {
  if (process.env['EPD_TEST_REDIS_URL']) return {};
  const binary = await redisBinary(say);
  const port = await freePort();
  await mkdir(folder, { recursive: true });
  const supervisor = new Supervisor(({ code }) => say(`Redis ended with code ${code}`));
  cleanUps.push(() => supervisor.stop());
  const logFile = join(folder, 'redis.log');
  await supervisor.add([redisProcess({ binary, port, folder, logFile, durable: false })]);
  const url = `redis://127.0.0.1:${port}`;
  const connection = connectRedis(url, { name: 'tests' });
  await waitForRedis(connection).finally(() => connection.disconnect());
  say(`Tests use Redis ${binary.version} on 127.0.0.1:${port}`);
  return { EPD_TEST_REDIS_URL: url };
}

async function realS3(folder: string, cleanUps: (() => Promise<unknown>)[]): Promise<Environment> {
  if (process.env['EPD_TEST_S3_ENDPOINT']) return {};
  const s3 = await startRealS3(folder, say);
  cleanUps.push(() => s3.stop());
  say(`Tests use a real S3 server on ${s3.endpoint}`);
  return {
    EPD_TEST_S3_ENDPOINT: s3.endpoint,
    EPD_TEST_S3_ACCESS_KEY: s3.accessKey,
    EPD_TEST_S3_SECRET_KEY: s3.secretKey,
  };
}

/** Settings of a fleet that the developer runs are not the tests'. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env);
  return Object.fromEntries(
    entries.filter(([name]) => !name.startsWith('EPD_') || name.startsWith('EPD_TEST_')),
  );
}

function ava(args: readonly string[], env: Environment, signal: AbortSignal): Promise<TestCount> {
  const color = process.stdout.isTTY ? ['--color'] : [];
  const child = spawn(process.execPath, [AVA, ...color, ...args], {
    cwd: projectPath('.'),
    env: { ...ownEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const counter = new TestCounter();
  child.stdout.on('data', (data: Buffer) => {
    process.stdout.write(data);
    counter.read(data.toString());
  });
  signal.addEventListener('abort', () => child.kill('SIGTERM'));
  return new Promise((resolve) => {
    child.once('close', (code) => resolve(counter.end(code)));
  });
}

try {
  const { passed, failed } = await test(process.argv.slice(2));
  if (failed > 0) process.exitCode = 1;
  say(`${passed} passed, ${failed} failed`);
} catch (error) {
  complain(error);
  say('0 passed, 1 failed');
}
