import { readFile } from 'node:fs/promises';
import { projectPath } from '@epd/service';
import test from 'ava';
import { sample } from 'fast-check';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { echoWorker } from './helpers/echo-worker.ts';
import { FUZZ_ADMIN_KEY, fuzzRequests } from './helpers/fuzz-requests.ts';
import { png } from './helpers/pictures.ts';
import { testApi } from './helpers/test-api.ts';

/** More by `EPD_FUZZ_RUNS`; the seed is in the log, and `EPD_FUZZ_SEED` runs the same again. */
const RUNS = Number(process.env['EPD_FUZZ_RUNS'] ?? 1_500);
const SEED = Number(process.env['EPD_FUZZ_SEED'] ?? Date.now() % 2 ** 31);
const CONCURRENCY = 16;

test(`${RUNS} generated requests and pictures give no crash, no 5xx and no odd error`, async (t) => {
  t.timeout(900_000);
  t.log(`EPD_FUZZ_SEED=${SEED}`);
  const api = await testApi(t, { adminKey: FUZZ_ADMIN_KEY });
  await echoWorker(t, api);
  const golden = await Promise.all(
    ['00-0', '03-0'].map((name) => readFile(projectPath(`models/tiny-vlm/golden/${name}.png`))),
  );
  const gif = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
  const jpeg = Buffer.from(
    'ffd8ffe000104a46494600010100000100010000ffc0000b080010001001011100ffd9',
    'hex',
  );
  const webp = Buffer.from('UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA', 'base64');
  const cases = sample(fuzzRequests([png(), ...golden, gif, jpeg, webp]), {
    numRuns: RUNS,
    seed: SEED,
  });
  const statuses = new Map<number, number>();
  const waiting = cases.values();
  const runNext = async (): Promise<void> => {
    for (const request of waiting) {
      const status = await judge(api.app, request);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, runNext));
  t.log(Object.fromEntries(statuses));
  t.true((statuses.get(202) ?? 0) > 0, 'some were valid');
  t.is((await api.app.inject('/healthz')).statusCode, 200);
});

/** The status; throws when it, or the error's shape, is none that a caller should see. */
async function judge(app: FastifyInstance, request: InjectOptions): Promise<number> {
  const leaving = AbortSignal.timeout(5_000);
  const response = await app.inject({ ...request, signal: leaving });
  const { statusCode } = response;
  const shown = `${JSON.stringify(request).slice(0, 2_000)} gave ${statusCode} ${response.body.slice(0, 500)}`;
  if (statusCode >= 500) throw new Error(shown);
  if (statusCode < 400) return statusCode;
  const { error } = response.json<{
    error?: { code?: unknown; message?: unknown; type?: unknown };
  }>();
  if ([error?.code, error?.message, error?.type].some((field) => typeof field !== 'string'))
    throw new Error(shown);
  return statusCode;
}
