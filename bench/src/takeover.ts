import { setTimeout as sleep } from 'node:timers/promises';
import { jobKeys } from '@epd/jobs';
import { Redis } from 'ioredis';
import { PREFIX, type BenchFleet, type Ending } from './fleet/fleet.ts';
import type { Harness } from './harness.ts';
import { summarize } from './percentiles.ts';
import type { Findings } from './report/json.ts';
import { table } from './table.ts';
import { OpenLoad } from './takeover/open-load.ts';
import { stallsOf } from './takeover/stalls.ts';

const STREAMS = 8;
/** One is asked to stop, one is killed, one is left. */
const DECODERS = 3;
/** A worker that is asked to stop keeps running its jobs for three fifths of this before it returns them. */
const STOP_MS = 2_000;
const LOOK_MS = 50;
/** A takeover takes seconds: past this it has failed. */
const TAKEOVER_MS_MAX = 60_000;

interface Takeover {
  readonly ending: Ending;
  /** From the last token of the worker that ended to the first of another, in ms, of each stream that it had. */
  readonly stallMs: readonly number[];
}

/** How long streams stall when their prefill/decode worker is asked to stop, and when it is killed. */
export async function takeover(harness: Harness): Promise<Findings> {
  const takeovers: Takeover[] = [];
  for (let round = 0; round < (harness.options.full ? 5 : 2); round++) {
    takeovers.push(...(await endTwo(harness)));
  }
  const stallOf = (ending: Ending) =>
    summarize(takeovers.filter((one) => one.ending === ending).flatMap(({ stallMs }) => stallMs));
  const rows = (['SIGTERM', 'SIGKILL'] as const).map((ending) => {
    const { count, p50, p90, max } = stallOf(ending);
    return [ending, count, p50, p90, max];
  });
  return {
    tables: [table(['the worker ends by', 'streams', 'stall p50 ms', 'p90 ms', 'max ms'], rows)],
    ratios: { stopMs: stallOf('SIGTERM').p50, killMs: stallOf('SIGKILL').p50 },
    samples: takeovers,
    notes: [
      ...harness.notes,
      `${STREAMS} streams, ${DECODERS} prefill/decode workers, EPD_LOCK_MS at its default, EPD_STOP_MS ${STOP_MS}`,
    ],
  };
}

async function endTwo(harness: Harness): Promise<Takeover[]> {
  const env = { 'prefill-decode': { EPD_STOP_MS: String(STOP_MS) } };
  const fleet = await harness.startFleet({ workers: { 'prefill-decode': DECODERS }, env });
  const redis = new Redis(fleet.redisUrl);
  const load = new OpenLoad(fleet.http, STREAMS);
  try {
    const first = await endOne({ fleet, redis, load }, 'SIGTERM');
    const second = await endOne({ fleet, redis, load }, 'SIGKILL');
    await load.stop();
    return [first, second];
  } finally {
    redis.disconnect();
    await fleet.stop();
  }
}

interface Setting {
  readonly fleet: BenchFleet;
  readonly redis: Redis;
  readonly load: OpenLoad;
}

/** Ends the worker that has the most streams, and waits until others have resumed them. */
async function endOne({ fleet, redis, load }: Setting, ending: Ending): Promise<Takeover> {
  const { pid, ids } = await until(async () => {
    const busiest = await busiestWorker(redis, load.underWay);
    return busiest.ids.length > 0 && busiest;
  });
  const before = load.seenOf(ids).map((seen) => stallsOf(seen).length);
  const ended = fleet.end('prefill-decode', pid, ending);
  // Asked to stop, it finishes what it can: what is resumed later is what it returned.
  const stallMs = await until(async () => {
    const stalls = load.seenOf(ids).map((seen, at) => stallsOf(seen).slice(before[at]));
    const over = load.underWay;
    const open = ids.filter((id, at) => over.includes(id) && stalls[at]?.length === 0);
    return open.length === 0 && stalls.flat();
  });
  await ended;
  return { ending, stallMs };
}

/** A worker's name ends with its process's id and some chance. */
const PID = /-(\d+)-[0-9a-f]+$/;

async function busiestWorker(
  redis: Redis,
  ids: readonly string[],
): Promise<{ readonly pid: number; readonly ids: readonly string[] }> {
  const keys = jobKeys(PREFIX);
  const workers = await Promise.all(ids.map((id) => redis.hget(keys.record(id), 'worker')));
  const byPid = Map.groupBy(ids, (_, at) => Number(PID.exec(workers[at] ?? '')?.[1] ?? 0));
  const [most] = [...byPid].toSorted(([, a], [, b]) => b.length - a.length);
  return { pid: most?.[0] ?? 0, ids: most?.[1] ?? [] };
}

async function until<T>(look: () => Promise<T | false>): Promise<T> {
  const lateMs = performance.now() + TAKEOVER_MS_MAX;
  for (;;) {
    const found = await look();
    if (found !== false) return found;
    if (performance.now() > lateMs) throw new Error('Nothing was taken over');
    await sleep(LOOK_MS);
  }
}
