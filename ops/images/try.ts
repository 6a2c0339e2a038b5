import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { projectPath } from '@epd/service';
import { eventually, freePort, testPrefix } from '@epd/service/testing';
import { runContainer, type Container } from '../tools/runc.ts';
import { childOf, inspect } from './inspection.ts';
import { ownRedis } from './own-redis.ts';
import { KEY, ask, read, submitLong } from './trial-client.ts';

/**
 * `npm run images:try`: runs the images that were built as a cluster would, with a Redis of its own
 * (or that of `EPD_REDIS_URL`), asks about the demo's picture, stops a worker in the middle of an
 * answer, then the rest, and says what was seen. Ends with 1 when something was not as it must be.
 */
/** What a service is given for its stop; an orchestrator kills it a little later. */
const STOP_MS = 4_000;
const NAMES = ['encoder', 'prefill-decode', 'api'] as const;
const ALIVE = new Set(['queued', 'in_progress']);

interface Running {
  readonly name: string;
  readonly url: string;
  readonly container: Container;
}

const folder = await mkdtemp(join(tmpdir(), 'epd-images-'));
const running: Running[] = [];
const redis = await ownRedis(folder);
try {
  await main();
} finally {
  for (const { container } of running) await container.remove();
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const store = await folderFor('store');
  const shared = {
    EPD_REDIS_URL: redis.url,
    EPD_PREFIX: testPrefix(),
    EPD_STORE_DIR: '/store',
    EPD_MODEL_DIR: '/models/tiny-vlm',
    EPD_API_KEYS: `trial:${KEY}`,
    EPD_STOP_MS: String(STOP_MS),
  };
  for (const name of NAMES) await start(name, store, shared);
  for (const { name, container } of running) {
    for (const { what, holds } of await inspect(name, container)) check(name, what, holds);
  }
  const [encoder, worker, api] = running as [Running, Running, Running];
  const answer = await ask(api.url);
  check('api', `answers ${JSON.stringify(answer.output?.text)}`, answer.status === 'completed');
  await examine(await run('ops', store, { ...shared, EPD_API_URL: api.url }));
  const { id } = await submitLong(api.url);
  await eventually(async () => (await read(api.url, id)).status === 'in_progress');
  await stop(worker);
  const { status } = await read(api.url, id);
  check('prefill-decode', `hands a long answer back: it is ${status}`, ALIVE.has(status));
  await stop(encoder);
  await stop(api);
}

async function start(name: string, store: string, shared: Record<string, string>): Promise<void> {
  const { url, container } = await run(name, store, shared);
  container.process.stdout?.resume();
  const begin = performance.now();
  await eventually(async () => (await fetch(`${url}/readyz`)).ok, { withinMs: 60_000 });
  check(name, `ready after ${seconds(begin)}`, true);
}

/** A container of an image, on the host's network. */
async function run(name: string, store: string, shared: Record<string, string>): Promise<Running> {
  const port = String(await freePort());
  const container = await runContainer({
    image: `localhost/epd-fleet/${name}`,
    name: `try-${name}`,
    folder,
    env: { ...shared, EPD_PORT: port, EPD_METRICS_PORT: port },
    mounts: [
      { source: store, destination: '/store' },
      { source: await folderFor(`${name}-data`), destination: '/data' },
      { source: projectPath('models'), destination: '/models', readonly: true },
    ],
  });
  const started = { name, url: `http://127.0.0.1:${port}`, container };
  running.push(started);
  return started;
}

/** What the doctor of the image `ops` says of the others, beside warnings. */
async function examine({ name, container: { process: child } }: Running): Promise<void> {
  const exit = once(child, 'exit');
  const report = await text(child.stdout!);
  await exit;
  check(name, `the doctor finds ${report.trim().split('\n').at(-1)}`, child.exitCode === 0);
}

/** A folder that the containers' user may write to. */
async function folderFor(name: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  await chmod(path, 0o777);
  return path;
}

/** The signal that an orchestrator sends, to the process itself. */
async function stop({ name, container: { process: child } }: Running): Promise<void> {
  const begin = performance.now();
  const exit = once(child, 'exit');
  process.kill(await childOf(child.pid!), 'SIGTERM');
  await exit;
  const inTime = performance.now() - begin < STOP_MS;
  check(
    name,
    `ends with ${child.exitCode} ${seconds(begin)} after SIGTERM`,
    child.exitCode === 0 && inTime,
  );
}

function check(name: string, what: string, holds: boolean): void {
  process.stdout.write(`${holds ? 'ok  ' : 'FAIL'}  ${name.padEnd(14)}  ${what}\n`);
  if (!holds) process.exitCode = 1;
}

function seconds(begin: number): string {
  return `${((performance.now() - begin) / 1000).toFixed(1)} s`;
}
