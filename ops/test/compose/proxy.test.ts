import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectPath } from '@epd/service';
import { eventually, freePort, tempFolder, testPrefix, testRedisUrl } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { haproxy } from '../../tools/haproxy.ts';
import { nameServer } from '../helpers/name-server.ts';
import { registerModel } from '../helpers/register-model.ts';

/** Replicas have one port and an address each, as in a network of containers. */
const REPLICAS = ['127.0.0.2', '127.0.0.3', '127.0.0.4'] as const;

/** Of the replicas: they are well, and a body is wanted. The proxy's own would be 502 or 503. */
const ANSWERS = [200, 400];

test('replicas behind the proxy share the work, join and leave without a lost request', async (t) => {
  t.timeout(120_000);
  const port = await freePort();
  const env = await settings(t, port);
  const [first, second, third] = REPLICAS.map((address) => replica(t, address, env));
  const known: string[] = REPLICAS.slice(0, 2);
  const url = await proxy(t, port, await nameServer(t, () => known));
  await eventually(async () => (await fetch(`${url}/readyz`)).ok, { withinMs: 60_000 });
  const statuses = async (): Promise<number[]> => {
    const asked = Array.from({ length: 10 }, () => [
      fetch(`${url}/healthz`),
      fetch(`${url}/v1/jobs`, { method: 'POST' }),
    ]);
    const seen = (await Promise.all(asked.flat())).map(({ status }) => status);
    return [...new Set(seen)].toSorted((a, b) => a - b);
  };
  const both = REPLICAS.slice(0, 2);
  await eventually(async () => {
    t.deepEqual(await statuses(), ANSWERS);
    return (await Promise.all(both.map((address) => served(address, port)))).every(Boolean);
  });
  await eventually(async () => (await fetch(`http://${REPLICAS[2]}:${port}/readyz`)).ok);
  t.false(await served(REPLICAS[2], port));
  known.push(REPLICAS[2]);
  await eventually(async () => {
    t.deepEqual(await statuses(), ANSWERS);
    return served(REPLICAS[2], port);
  });
  first!.kill('SIGTERM');
  while (first!.exitCode === null) t.deepEqual(await statuses(), ANSWERS);
  t.is(first!.exitCode, 0);
  t.is(second!.exitCode ?? third!.exitCode, null);
});

test('an event stream comes through the proxy as it is written, and metrics not at all', async (t) => {
  t.timeout(120_000);
  const port = await freePort();
  const env = await settings(t, port);
  replica(t, REPLICAS[0], env);
  await registerModel(t, env['EPD_PREFIX']!);
  const url = await proxy(t, port, await nameServer(t, () => [REPLICAS[0]]));
  await eventually(async () => (await fetch(`${url}/readyz`)).ok, { withinMs: 60_000 });
  t.is((await fetch(`${url}/metrics`)).status, 403);
  const submitted = await fetch(`${url}/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'Are you there?' }] }),
  });
  const { links } = (await submitted.json()) as { links: { events: string } };
  // No worker runs, so that the stream stays open: what is read was not kept back until its end.
  const { body } = await fetch(`${url}${links.events}`);
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    t.regex(Buffer.from(chunk).toString(), /"queued"/);
    break;
  }
});

async function settings(t: ExecutionContext, port: number): Promise<NodeJS.ProcessEnv> {
  return {
    PATH: process.env['PATH'],
    EPD_REDIS_URL: testRedisUrl(),
    EPD_PREFIX: testPrefix(),
    EPD_DATA_DIR: await tempFolder(t),
    EPD_LOG_LEVEL: 'warn',
    EPD_PORT: String(port),
    EPD_DRAIN_MS: await shippedDrain(),
  };
}

async function shippedDrain(): Promise<string> {
  const compose = await readFile(projectPath('infra/compose/compose.yaml'), 'utf8');
  return /EPD_DRAIN_MS: "(\d+)"/.exec(compose)![1]!;
}

function replica(t: ExecutionContext, address: string, env: NodeJS.ProcessEnv): ChildProcess {
  return running(t, process.execPath, [projectPath('api/src/main.ts')], {
    ...env,
    EPD_HOST: address,
  });
}

/** Debian's haproxy with the shipped configuration, but for ports and the name server. */
async function proxy(t: ExecutionContext, apiPort: number, namePort: number): Promise<string> {
  const port = await freePort();
  const shipped = await readFile(projectPath('infra/compose/haproxy.cfg'), 'utf8');
  const changes = [
    ['parse-resolv-conf', `nameserver dns 127.0.0.1:${namePort}`],
    ['bind :8080', `bind 127.0.0.1:${port}`],
    ['api:8080', `api:${apiPort}`],
  ] as const;
  for (const [from] of changes) t.true(shipped.includes(from), from);
  const config = changes.reduce((text, [from, to]) => text.replace(from, to), shipped);
  const path = join(await tempFolder(t), 'haproxy.cfg');
  await writeFile(path, config);
  const { command, env } = await haproxy();
  running(t, command, ['-f', path], env);
  return `http://127.0.0.1:${port}`;
}

function running(
  t: ExecutionContext,
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): ChildProcess {
  const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  return child;
}

/** Whether a replica has been asked for its health by anybody but the proxy itself. */
async function served(address: string, port: number): Promise<boolean> {
  const text = await (await fetch(`http://${address}:${port}/metrics`)).text();
  return /^epd_http_request_seconds_count\{.*route="\/healthz".*\} [1-9]/m.test(text);
}
