import { readFile } from 'node:fs/promises';
import { RedisJobStore } from '@epd/jobs';
import { projectPath } from '@epd/service';
import { memoryOf, testRedisUrl } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { sample } from 'fast-check';
import { Redis } from 'ioredis';
import { listeningApi, type ListeningApi } from './helpers/api-process.ts';
import { echoWorker } from './helpers/echo-worker.ts';
import { FUZZ_ADMIN_KEY, fuzzRequests, type FuzzRequest } from './helpers/fuzz-requests.ts';
import { png } from './helpers/pictures.ts';
import { sendRaw, type RawAnswer } from './helpers/send-raw.ts';
import { workerProcesses, type WorkerProcesses } from './helpers/worker-process.ts';
import { register } from './helpers/test-api.ts';
import { TEST_CARD } from './helpers/test-card.ts';

/** More by `EPD_TEST_FUZZ_RUNS`; the seed is in the log, and `EPD_TEST_FUZZ_SEED` runs the same again. */
const RUNS = Number(process.env['EPD_TEST_FUZZ_RUNS'] ?? 500);
const SEED = Number(process.env['EPD_TEST_FUZZ_SEED'] ?? Date.now() % 2 ** 31);
/** Whether an encoder and a prefill/decode worker of their own serve the requests. */
const WORKERS = process.env['EPD_TEST_FUZZ_WORKERS'] === '1';
const CONCURRENCY = 16;
/** What V8 gives itself in a container of 512 MiB. */
const SMALL_HEAP = ['--max-old-space-size=256'];
const SMALL_MIB = 512;
const authorization = `Bearer ${FUZZ_ADMIN_KEY}`;

test(`${RUNS} generated requests, hostile ones among them, give an API of 512 MiB no crash, no 5xx and no odd error`, async (t) => {
  t.timeout(1_800_000);
  t.log(`EPD_TEST_FUZZ_SEED=${SEED}`);
  const { api, workers } = await fuzzed(t);
  const cases = sample(fuzzRequests(await pictures()), { numRuns: RUNS, seed: SEED });
  const statuses = new Map<number, number>();
  const waiting = cases.values();
  const runNext = async (): Promise<void> => {
    for (const request of waiting) {
      const status = await judge(api, request);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, runNext));
  t.log(Object.fromEntries(statuses));
  t.true((statuses.get(202) ?? 0) > 0, 'some were valid');
  t.is((await fetch(`${api.url}/healthz`)).status, 200);
  t.is(api.child.exitCode, null, api.output.join(''));
  for (const [role, child] of Object.entries(workers)) {
    t.is(child.exitCode, null, role);
    t.log(`peak memory: ${role} ${(await memoryOf(child)).peak.toFixed(0)} MiB`);
  }
  const { peak } = await memoryOf(api.child);
  t.log(`peak memory: API ${peak.toFixed(0)} MiB, Redis ${await redisPeak()} MiB`);
  t.true(peak < SMALL_MIB, `${peak} MiB`);
});

interface Fuzzed {
  readonly api: ListeningApi;
  readonly workers: Partial<WorkerProcesses>;
}

/** A process of its own, with workers that answer. */
async function fuzzed(t: ExecutionContext): Promise<Fuzzed> {
  const api = await listeningApi(t, { EPD_ADMIN_KEY: FUZZ_ADMIN_KEY }, SMALL_HEAP);
  if (WORKERS) return { api, workers: await workerProcesses(t, api, { authorization }) };
  const redis = new Redis(testRedisUrl(), { maxRetriesPerRequest: 1 });
  await register(redis, api.prefix, [TEST_CARD]);
  const jobs = new RedisJobStore({ redis, prefix: api.prefix });
  t.teardown(async () => {
    await jobs.close();
    redis.disconnect();
  });
  await echoWorker(t, { jobs, prefix: api.prefix });
  return { api, workers: {} };
}

async function pictures(): Promise<Buffer[]> {
  const golden = await Promise.all(
    ['00-0', '03-0'].map((name) => readFile(projectPath(`models/tiny-vlm/golden/${name}.png`))),
  );
  const gif = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
  const jpeg = Buffer.from(
    'ffd8ffe000104a46494600010100000100010000ffc0000b080010001001011100ffd9',
    'hex',
  );
  const webp = Buffer.from('UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA', 'base64');
  return [png(), ...golden, gif, jpeg, webp];
}

/** The status; throws when it, or the error's shape, is none that a caller should see. */
async function judge(api: ListeningApi, request: FuzzRequest): Promise<number> {
  const answer = await sendRaw(api.port, request);
  check(request, answer);
  if (request.thenBatch === true && answer.status === 200) await makeBatch(api, answer);
  return answer.status;
}

function check(request: FuzzRequest, { status, body }: RawAnswer): void {
  const { method, url, headers } = request;
  const shown = `${method} ${url.slice(0, 500)} ${JSON.stringify(headers).slice(0, 500)} gave ${status} ${body.slice(0, 500)}`;
  if (status >= 500) throw new Error(shown);
  if (request.mustBeRefused === true && status < 400) throw new Error(shown);
  if (status < 400) return;
  const { error } = JSON.parse(body) as {
    error?: { code?: unknown; message?: unknown; type?: unknown };
  };
  if ([error?.code, error?.message, error?.type].some((field) => typeof field !== 'string'))
    throw new Error(shown);
}

async function makeBatch({ port }: ListeningApi, { body }: RawAnswer): Promise<void> {
  const { id } = JSON.parse(body) as { id: string };
  const request: FuzzRequest = {
    method: 'POST',
    url: '/v1/batches',
    headers: { authorization, 'content-type': 'application/json' },
    payload: JSON.stringify({
      input_file_id: id,
      endpoint: '/v1/responses',
      completion_window: '1m',
    }),
  };
  check(request, await sendRaw(port, request));
}

async function redisPeak(): Promise<string> {
  const redis = new Redis(testRedisUrl());
  const info = await redis.info('memory');
  redis.disconnect();
  return (Number(/used_memory_peak:(\d+)/.exec(info)?.[1] ?? 0) / 2 ** 20).toFixed(0);
}
