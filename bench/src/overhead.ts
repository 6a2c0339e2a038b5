import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchFleet, Role } from './fleet/fleet.ts';
import type { Harness } from './harness.ts';
import { cpuPerRequest, readCpuTimes, type CpuTimes } from './load/cpu-profile.ts';
import { runLoad } from './load/run-load.ts';
import { RATIOS_AT, WORKLOADS, type Workload } from './load/served.ts';
import { questionsFor } from './load/workloads.ts';
import {
  nowUs,
  readProfiles,
  timesWithin,
  type PartTimes,
  type Window,
} from './overhead/cpu-profile-file.ts';
import type { NodeRole, Overhead } from './overhead/overhead.ts';
import { commandsTable, cpuTable, partsTable, ratiosOf } from './overhead/overhead-tables.ts';
import { trafficOf, type Traffic } from './overhead/redis-traffic.ts';
import { print, type Findings } from './report/json.ts';

const NODE_ROLES: readonly NodeRole[] = ['api', 'encoder', 'prefill-decode'];
const REQUESTS = 96;
const FULL_REQUESTS = 320;
/** Enough that what happens by the second is shared out, few enough for every command to be watched. */
const WATCHED_REQUESTS = 32;
/** The name of the peer in the table of CPU times, which has none here. */
const NOBODY = { pid: 0 };

/** CPU time that is not the model's, by process and part, and Redis's work by command; 16 requests at once. */
export async function overhead(harness: Harness): Promise<Findings> {
  const requests = harness.options.full ? FULL_REQUESTS : REQUESTS;
  const cpu = await measureCpu(harness, requests);
  const profiled = await profile(harness, requests);
  const samples = WORKLOADS.map((workload): Overhead => ({
    workload,
    cpuMs: cpu[workload],
    traffic: profiled[workload].traffic,
    parts: withinCpuTimes(profiled[workload].parts, cpu[workload]),
  }));
  return {
    tables: [cpuTable(samples), ...samples.map(partsTable), ...samples.map(commandsTable)],
    ratios: ratiosOf(samples),
    samples: samples.map(asJson),
    notes: [
      ...harness.notes,
      `${RATIOS_AT} at once, ${requests} requests; parts and commands from a second fleet, whose processes are profiled`,
    ],
  };
}

/**
 * A profile tells time by the clock, also while its thread waits for a core: where that adds up to more than the
 * process had of the cores, each part has its share of what it had.
 */
function withinCpuTimes(
  parts: Readonly<Record<NodeRole, PartTimes>>,
  cpuMs: CpuTimes,
): Record<NodeRole, PartTimes> {
  const within = (role: NodeRole): PartTimes => {
    const seenMs = [...parts[role].values()].reduce((sum, ms) => sum + ms, 0);
    const share = Math.min(1, (cpuMs[role] ?? seenMs) / seenMs || 0);
    return new Map([...parts[role]].map(([part, ms]) => [part, ms * share]));
  };
  return {
    api: within('api'),
    encoder: within('encoder'),
    'prefill-decode': within('prefill-decode'),
  };
}

/** Undisturbed: nobody profiles, nobody watches. */
async function measureCpu(harness: Harness, requests: number): Promise<Record<Workload, CpuTimes>> {
  const fleet = await harness.startFleet();
  await warmUp(harness, fleet);
  const found = {} as Record<Workload, CpuTimes>;
  for (const workload of WORKLOADS) {
    const questions = await questionsFor(harness, workload, requests, requests);
    const before = await readCpuTimes(fleet, NOBODY);
    await runLoad(fleet.client, questions, RATIOS_AT);
    found[workload] = cpuPerRequest(before, await readCpuTimes(fleet, NOBODY), requests);
    print(`${workload}: CPU times read`);
  }
  await fleet.stop();
  return found;
}

type Profiled = Pick<Overhead, 'parts' | 'traffic'>;

/** Node writes a process's profiles when it ends: the windows are cut out of them afterwards. */
async function profile(harness: Harness, requests: number): Promise<Record<Workload, Profiled>> {
  const folder = await mkdtemp(join(tmpdir(), 'epd-bench-profiles-'));
  try {
    const fleet = await harness.startFleet({ env: await profilerSettings(folder) });
    await warmUp(harness, fleet);
    const windows = {} as Record<Workload, Window>;
    const traffic = {} as Record<Workload, Traffic>;
    for (const workload of WORKLOADS) {
      const questions = await questionsFor(harness, workload, requests, 2 * requests);
      const from = nowUs();
      await runLoad(fleet.client, questions, RATIOS_AT);
      windows[workload] = [from, nowUs()];
      traffic[workload] = await watched(harness, fleet, workload);
      print(`${workload}: profiled and watched`);
    }
    await fleet.stop();
    return await cutOut(folder, windows, traffic, requests);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function profilerSettings(
  folder: string,
): Promise<Partial<Record<Role, Record<string, string>>>> {
  const settings: Partial<Record<Role, Record<string, string>>> = {};
  for (const role of NODE_ROLES) {
    await mkdir(join(folder, role));
    settings[role] = { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${join(folder, role)}` };
  }
  return settings;
}

const share = (count: number): number => count / WATCHED_REQUESTS;

async function watched(harness: Harness, fleet: BenchFleet, workload: Workload): Promise<Traffic> {
  let seed = 10_000;
  const traffic = await trafficOf(fleet.redisUrl, async () => {
    const questions = await questionsFor(harness, workload, WATCHED_REQUESTS, ++seed);
    await runLoad(fleet.client, questions, RATIOS_AT);
  });
  return {
    bytes: share(traffic.bytes),
    inScripts: share(traffic.inScripts),
    sent: new Map([...traffic.sent].map(([name, count]) => [name, share(count)])),
  };
}

async function cutOut(
  folder: string,
  windows: Readonly<Record<Workload, Window>>,
  traffic: Readonly<Record<Workload, Traffic>>,
  requests: number,
): Promise<Record<Workload, Profiled>> {
  const found = {} as Record<Workload, Profiled>;
  for (const workload of WORKLOADS) {
    const parts = {} as Record<NodeRole, PartTimes>;
    for (const role of NODE_ROLES) {
      const times = timesWithin(await readProfiles(join(folder, role)), windows[workload]);
      parts[role] = new Map([...times].map(([part, ms]) => [part, ms / requests]));
    }
    found[workload] = { parts, traffic: traffic[workload] };
  }
  return found;
}

async function warmUp(harness: Harness, fleet: BenchFleet): Promise<void> {
  for (const workload of WORKLOADS) {
    const questions = await questionsFor(harness, workload, RATIOS_AT, 0);
    await runLoad(fleet.client, questions, RATIOS_AT);
  }
}

const asJson = ({ parts, traffic, ...rest }: Overhead) => ({
  ...rest,
  parts: Object.fromEntries(
    Object.entries(parts).map(([role, of]) => [role, Object.fromEntries(of)]),
  ),
  traffic: { ...traffic, sent: Object.fromEntries(traffic.sent) },
});
