import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { FolderStore } from '@epd/connector';
import { RedisModelRegistry } from '@epd/fleet';
import { eventually, freePort, tempFolder, testRedisUrl } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { goldenFeatures } from './helpers/golden.ts';
import { eventOf, goldenJob, testFleet, type TestFleet } from './helpers/test-encoder.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

interface EncoderProcess {
  readonly child: ChildProcess;
  readonly url: string;
  readonly log: () => string;
}

async function startProcess(
  t: ExecutionContext,
  env: Record<string, string>,
): Promise<EncoderProcess> {
  const port = await freePort();
  const child = spawn(process.execPath, [MAIN], {
    env: { ...process.env, EPD_METRICS_PORT: String(port), EPD_ENCODER_TILES_PER_RUN: '4', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => (log += String(text)));
  t.teardown(() => child.kill('SIGKILL'));
  return { child, url: `http://127.0.0.1:${port}`, log: () => log };
}

async function processFleet(
  t: ExecutionContext,
): Promise<{ fleet: TestFleet; env: Record<string, string> }> {
  const dataDir = await tempFolder(t);
  const fleet = await testFleet(t, new FolderStore({ root: `${dataDir}/store` }));
  const env = {
    EPD_REDIS_URL: testRedisUrl(),
    EPD_PREFIX: fleet.prefix,
    EPD_DATA_DIR: dataDir,
    EPD_LOCK_MS: '1000',
  };
  return { fleet, env };
}

const isReady = async ({ url }: EncoderProcess): Promise<boolean> =>
  (await fetch(`${url}/readyz`)).ok;

async function ended({ child }: EncoderProcess): Promise<unknown> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode ?? child.signalCode;
}

test('a process registers its model, encodes, and leaves when asked', async (t) => {
  const { fleet, env } = await processFleet(t);
  const encoder = await startProcess(t, env);
  await eventually(() => isReady(encoder), { withinMs: 30_000 });
  const registry = new RedisModelRegistry(fleet.redis, fleet.prefix);
  t.deepEqual(await registry.model('tiny-vlm'), { ...fleet.model.card });
  t.is((await registry.workers('tiny-vlm')).encoder, 1);
  const job = await goldenJob(fleet, '01-0.png');
  await fleet.requester.request(job, 'me');
  t.like(await eventOf(fleet, job), { outcome: 'stored', rows: 16 });
  const metrics = await (await fetch(`${encoder.url}/metrics`)).text();
  t.regex(metrics, /epd_encode_batch_seconds_count\{[^}]*batch="1"[^}]*\} 1/);
  encoder.child.kill('SIGTERM');
  t.is(await ended(encoder), 0, encoder.log());
  t.is((await registry.workers('tiny-vlm')).encoder, 0);
});

test('a process whose Redis is down at its start lives, is not ready, and says why', async (t) => {
  const { env } = await processFleet(t);
  const EPD_REDIS_URL = `redis://127.0.0.1:${await freePort()}`;
  const { url } = await startProcess(t, { ...env, EPD_REDIS_URL });
  // What the probes of liveness and of the start ask, and then that of readiness.
  await eventually(async () => (await fetch(`${url}/healthz`)).ok, { withinMs: 30_000 });
  const ready = await fetch(`${url}/readyz`);
  t.is(ready.status, 503);
  t.deepEqual(await ready.json(), { ready: false, reason: 'Redis is unreachable' });
});

test('what a killed encoder held is encoded by another', async (t) => {
  const { fleet, env } = await processFleet(t);
  const jobs = await Promise.all(
    [...(await goldenFeatures()).keys()].map((name) => goldenJob(fleet, name)),
  );
  await Promise.all(jobs.map((job) => fleet.requester.request(job, 'me')));
  const first = await startProcess(t, { ...env, EPD_ENCODER_BATCH_ITEMS: '4' });
  await eventually(() => fleet.events.length > 0, { withinMs: 30_000 });
  first.child.kill('SIGKILL');
  await ended(first);
  const second = await startProcess(t, env);
  await eventually(
    () => jobs.every((job) => fleet.events.some((event) => event.mmHash === job.mmHash)),
    {
      withinMs: 30_000,
    },
  );
  t.true(fleet.events.every(({ outcome }) => outcome === 'stored'));
  second.child.kill('SIGTERM');
  t.is(await ended(second), 0, second.log());
});

test('a folder that holds no model is reported in one line that names the setting', async (t) => {
  const { env } = await processFleet(t);
  const encoder = await startProcess(t, { ...env, EPD_MODEL_DIR: '/no/such/folder' });
  t.is(await ended(encoder), 1);
  t.regex(
    encoder.log(),
    /configuration is invalid: EPD_MODEL_DIR: must be .*; it is "\/no\/such\/folder"/,
  );
  t.notRegex(encoder.log(), /"stack"/);
});

test('a folder without vision encoder is reported at the start', async (t) => {
  const { env } = await processFleet(t);
  const encoder = await startProcess(t, { ...env, EPD_VISION_ENCODER: 'q4' });
  t.is(await ended(encoder), 1);
  t.regex(encoder.log(), /vision_encoder_q4\.onnx: expected the file to be there/);
});
