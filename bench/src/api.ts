import type { BenchFleet } from './fleet/fleet.ts';
import type { Harness } from './harness.ts';
import { acceptance, type Acceptance } from './http-api/acceptance.ts';
import { addedLatency, type AddedLatency } from './http-api/added-latency.ts';
import { jobLists, LISTS, type JobLists } from './http-api/job-lists.ts';
import { openStreams, type OpenStreams } from './http-api/open-streams.ts';
import type { Findings } from './report/json.ts';
import { runLoad } from './load/run-load.ts';
import { textOnly } from './load/workloads.ts';
import { median } from './percentiles.ts';
import { table } from './table.ts';

const STREAMS = 1000;
const LISTED = 10_000;
/** Rounds long enough to say something of a process that has been up for a while. */
const JOBS = { warmUp: 500, round: 1500, fullRound: 3000 };
const MIB = 2 ** 20;

/** What the service around the engine costs: per answer, per accepted job, per page of many jobs, per open stream. */
export async function api(harness: Harness): Promise<Findings> {
  const { full } = harness.options;
  const fleet = await harness.startFleet();
  await runLoad(fleet.client, textOnly(32, 0, 8), 4);
  const latency = await addedLatency(fleet.client, full ? 500 : 100);
  const { rounds, pages, followed } = await paused(fleet, async (resume) => {
    await acceptance(fleet, JOBS.warmUp, 3);
    const measured = [];
    for (let round = 0; round < 3; round++)
      measured.push(await acceptance(fleet, full ? JOBS.fullRound : JOBS.round, round));
    const ids = measured.flatMap((each) => each.ids);
    const listed = await jobLists(fleet, JOBS.warmUp + ids.length, LISTED);
    const open = await openStreams(fleet, ids.slice(0, STREAMS), resume);
    return { rounds: measured, pages: listed, followed: open };
  });
  const accepted = rounds.map(({ acceptedPerS, addedPerS }) => ({ acceptedPerS, addedPerS }));
  return {
    tables: [
      latencyTable(latency),
      acceptanceTable(accepted),
      listsTable(pages),
      streamsTable(followed),
    ],
    ratios: {
      accept: median(accepted.map(({ acceptedPerS, addedPerS }) => acceptedPerS / addedPerS)),
      addedLatencyMs: latency.addedMs.p50,
    },
    samples: { latency, acceptance: accepted, lists: pages, streams: followed },
    notes: [...harness.notes, 'workers are paused while jobs are accepted and streams opened'],
  };
}

/** Work that should not be disturbed by answers; `resume`, or its end, lets the worker go on. */
async function paused<T>(fleet: BenchFleet, work: (resume: () => void) => Promise<T>): Promise<T> {
  const pid = fleet.pid('prefill-decode');
  const resume = (): void => void process.kill(pid, 'SIGCONT');
  process.kill(pid, 'SIGSTOP');
  try {
    return await work(resume);
  } finally {
    resume();
  }
}

function latencyTable({ totalMs, engineMs, addedMs }: AddedLatency): string {
  return table(
    ['one text answer at a time, ms', 'p50', 'p90', 'p99'],
    [
      ['as the client sees it', totalMs.p50, totalMs.p90, totalMs.p99],
      ['the engine alone', engineMs.p50, engineMs.p90, engineMs.p99],
      ['added by the fleet', addedMs.p50, addedMs.p90, addedMs.p99],
    ],
  );
}

const acceptanceTable = (rounds: readonly Acceptance[]): string =>
  table(
    ['jobs accepted/s', 'BullMQ adds/s', 'ratio'],
    rounds.map(({ acceptedPerS, addedPerS }) => [
      acceptedPerS,
      addedPerS,
      acceptedPerS / addedPerS,
    ]),
  );

const listsTable = ({ jobs, ms }: JobLists): string =>
  table(
    [`GET /v1/jobs, ${jobs} jobs, ms`, 'p50', 'p90', 'max'],
    LISTS.map((list) => [list || 'all', ms[list].p50, ms[list].p90, ms[list].max]),
  );

function streamsTable({ streams, bytesBefore, bytesOpen, openMs, ended }: OpenStreams): string {
  return table(
    ['event streams', 'opened in ms', 'API before, MiB', 'API with them, MiB', 'saw the end'],
    [[streams, openMs, mib(bytesBefore), mib(bytesOpen), ended]],
  );
}

const mib = (bytes: number | null): number | null =>
  bytes === null ? null : Math.round(bytes / MIB);
