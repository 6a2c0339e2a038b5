import { setTimeout as sleep } from 'node:timers/promises';
import { RedisJobStore } from '@epd/jobs';
import { Checker, type Finding } from './checker.ts';
import type { ClientRecord } from './clients/client.ts';
import { jobBody } from './clients/job-body.ts';
import { goldenCases } from './plans/golden.ts';
import { findLeaks } from './leaks.ts';
import type { PlannedJob } from './plans/plan.ts';
import { Reference } from './reference.ts';
import { World } from './world/world.ts';

const READY_WITHIN_MS = 180_000;
const END_WITHIN_MS = 1_800_000;
const LEAKS_WITHIN_MS = 60_000;

export interface BurstOptions {
  readonly jobs: number;
  readonly folder: string;
  /** Bound on waiting cost; null: the API's default. */
  readonly waitingCost: number | null;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface BurstOutcome {
  readonly submitted: number;
  readonly accepted: number;
  /** Answered 429. */
  readonly refused: number;
  readonly findings: readonly Finding[];
  readonly leaks: readonly string[];
  readonly acceptSeconds: number;
  readonly seconds: number;
  readonly memoryMb: Readonly<Record<string, number>>;
}

/**
 * So many image jobs at once to one API process, one encoder and one PD worker, each with an image of
 * its own: every one is answered right or refused on submission, and no process's memory grows with the rest.
 */
export async function runBurst(options: BurstOptions): Promise<BurstOutcome> {
  const { folder, waitingCost } = options;
  const env = waitingCost === null ? {} : { EPD_MAX_WAITING_COST: String(waitingCost) };
  const world = await World.create({
    folder,
    apis: 1,
    encoders: 1,
    pds: 1,
    env: { ...ROOMY, ...env },
  });
  const jobs = new RedisJobStore({ redis: world.redis, prefix: world.prefix });
  try {
    await world.start(READY_WITHIN_MS);
    options.say('the fleet is ready');
    return await burst(options, world, jobs);
  } finally {
    await jobs.close();
    await world.stop('SIGKILL');
  }
}

/** The defaults of a worker, not the small ones that draw faults out. */
const ROOMY = { EPD_STEP_TOKENS: '256', EPD_MAX_BATCH: '32', EPD_LOCK_MS: '10000' };

async function burst(
  options: BurstOptions,
  world: World,
  jobs: RedisJobStore,
): Promise<BurstOutcome> {
  const began = performance.now();
  const seconds = (): number => (performance.now() - began) / 1000;
  const planned = Array.from({ length: options.jobs }, (_, number) => plannedJob(number));
  const records = await Promise.all(planned.map((job) => submitOnce(world, job)));
  const acceptSeconds = seconds();
  const accepted = records.filter(({ id }) => id !== null);
  const refused = records.filter(({ problem }) => problem === '429').length;
  options.say(
    `${accepted.length} accepted, ${refused} refused after ${acceptSeconds.toFixed(1)} s`,
  );
  await untilAllEnded(options, world);
  const checked = records.filter(({ problem }) => problem !== '429');
  return {
    submitted: records.length,
    accepted: accepted.length,
    refused,
    findings: await new Checker(jobs, new Reference()).check(checked),
    acceptSeconds,
    seconds: seconds(),
    leaks: await findLeaks(world, LEAKS_WITHIN_MS),
    memoryMb: Object.fromEntries(
      [...world.processes.values()].map(({ name, peakRssMb }) => [name, peakRssMb]),
    ),
  };
}

const withOneImage = goldenCases.flatMap(({ images }, index) =>
  images.length === 1 ? [index] : [],
);

function plannedJob(number: number): PlannedJob {
  const golden = withOneImage[number % withOneImage.length] ?? 0;
  return { number, kind: 'unique', case: golden, nonce: number + 1, offsetMs: 0, roll: 1 };
}

async function submitOnce(world: World, job: PlannedJob): Promise<ClientRecord> {
  const sinceMs = performance.now();
  const record = { job, sinceMs, id: null, problem: null, retries: 0, stream: null, refusals: [] };
  const response = await fetch(`${world.urls[0]}/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(jobBody(job)),
  });
  const body = (await response.json()) as { id?: string };
  if (response.status === 202) return { ...record, id: body.id ?? null };
  const retryAfter = response.headers.get('retry-after');
  const told = response.status === 429 && retryAfter !== null;
  return {
    ...record,
    problem: told ? '429' : `answered ${response.status}: ${JSON.stringify(body)}`,
  };
}

async function untilAllEnded(
  { say, signal }: BurstOptions,
  { redis, prefix }: World,
): Promise<void> {
  const endMs = performance.now() + END_WITHIN_MS;
  for (let told = Number.POSITIVE_INFINITY; performance.now() < endMs;) {
    const left = await redis.zcard(`${prefix}:jobs:live`);
    if (left === 0) return;
    if (left <= told - 100) say(`${(told = left)} are left`);
    await sleep(250, undefined, { signal });
  }
}
