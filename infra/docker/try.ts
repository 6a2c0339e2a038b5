import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectPath } from '@epd/service';
import { eventually, freePort, testPrefix } from '@epd/service/testing';
import { runContainer, statusOf, type Container } from '../tools/runc.ts';

/**
 * `EPD_REDIS_URL=… node infra/docker/try.ts`: runs the three images that `infra/docker/build.ts` made,
 * as a cluster would, asks about a picture, stops them, and says what was seen.
 */
const PICTURE = projectPath('models/tiny-vlm/golden/00-0.png');
const KEY = 'a-key-for-trying-it';
const STOP_MS = 10_000;

const folder = await mkdtemp(join(tmpdir(), 'epd-images-'));
const containers: [string, Container, string][] = [];
try {
  await main();
} finally {
  for (const [, { process: child }] of containers) child.kill('SIGKILL');
  for (const [, container] of containers) await container.remove();
  await rm(folder, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const store = join(folder, 'store');
  await mkdir(store);
  await chmod(store, 0o777);
  const shared = {
    EPD_REDIS_URL: process.env['EPD_REDIS_URL'] ?? 'redis://127.0.0.1:6379',
    EPD_PREFIX: testPrefix(),
    EPD_STORE_DIR: '/store',
    EPD_API_KEYS: `trial:${KEY}`,
    EPD_STOP_MS: String(STOP_MS),
  };
  for (const name of ['encoder', 'prefill-decode', 'api']) {
    const port = String(await freePort());
    await start(name, port, store, { ...shared, EPD_PORT: port, EPD_METRICS_PORT: port });
  }
  for (const [name, { process: child }, url] of containers) await examine(name, child.pid!, url);
  say(`answer: ${JSON.stringify(await ask(containers.at(-1)![2]))}`);
  for (const [name, { process: child }] of containers.toReversed()) await stop(name, child);
}

async function start(
  name: string,
  port: string,
  store: string,
  env: Record<string, string>,
): Promise<void> {
  const data = join(folder, `${name}-data`);
  await mkdir(data);
  await chmod(data, 0o777);
  const container = await runContainer({
    image: `localhost/epd-fleet/${name}`,
    name: `try-${name}`,
    folder,
    env,
    mounts: [
      { source: store, destination: '/store' },
      { source: data, destination: '/data' },
      { source: projectPath('models'), destination: '/models', readonly: true },
    ],
  });
  container.process.stdout?.resume();
  const url = `http://127.0.0.1:${port}`;
  containers.push([name, container, url]);
  const begin = performance.now();
  await eventually(async () => (await fetch(`${url}/readyz`)).ok, { withinMs: 60_000 });
  say(`${name}: ready after ${((performance.now() - begin) / 1000).toFixed(1)} s`);
}

/** What Linux says of the process in the container. */
async function examine(name: string, runcPid: number, url: string): Promise<void> {
  const pid = await childOf(runcPid);
  const status = await statusOf(pid);
  const rootMount = (await readFile(`/proc/${pid}/mountinfo`, 'utf8'))
    .split('\n')
    .find((line) => line.split(' ')[4] === '/');
  const healthy = (await fetch(`${url}/healthz`)).ok;
  say(
    [
      `${name}: uid ${status.get('Uid')?.split('\t')[0]}`,
      `effective capabilities ${status.get('CapEff')}`,
      `no new privileges ${status.get('NoNewPrivs')}`,
      `root ${rootMount?.split(' ')[5]?.split(',')[0] === 'ro' ? 'read-only' : 'WRITABLE'}`,
      healthy ? 'healthy' : 'NOT HEALTHY',
    ].join(', '),
  );
}

async function childOf(pid: number): Promise<number> {
  const tasks = await readdir(`/proc/${pid}/task`);
  const children = await Promise.all(
    tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, 'utf8')),
  );
  return Number(children.join(' ').trim().split(' ')[0]);
}

async function ask(url: string): Promise<string> {
  const image = `data:image/png;base64,${(await readFile(PICTURE)).toString('base64')}`;
  const content = [
    { type: 'image_url', image_url: { url: image } },
    { type: 'text', text: 'What is this?' },
  ];
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
    body: JSON.stringify({ messages: [{ role: 'user', content }], max_tokens: 24, temperature: 0 }),
  });
  const body = (await response.json()) as { choices?: { message: { content: string } }[] };
  return body.choices?.[0]?.message.content ?? JSON.stringify(body);
}

/** The signal that an orchestrator sends, to the process itself. */
async function stop(name: string, child: Container['process']): Promise<void> {
  const begin = performance.now();
  process.kill(await childOf(child.pid!), 'SIGTERM');
  await once(child, 'exit');
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  say(`${name}: ended with code ${child.exitCode} ${seconds} s after SIGTERM`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
