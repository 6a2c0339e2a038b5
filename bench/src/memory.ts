import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROLES, type BenchFleet, type Role } from './fleet/fleet.ts';
import { peakMemory } from './fleet/process-usage.ts';
import type { Harness } from './harness.ts';
import type { Findings } from './report/json.ts';
import { runLoad } from './load/run-load.ts';
import { textOnly, uniqueImages } from './load/workloads.ts';
import type { Target } from './question.ts';
import { table } from './table.ts';

const CONCURRENCY = 8;
const MIB = 2 ** 20;

/** Peak resident memory of each process after the same load, beside one process with the whole model. */
export async function memory(harness: Harness): Promise<Findings> {
  const prepared = await mkdtemp(join(tmpdir(), 'epd-bench-graphs-'));
  try {
    const first = await firstStart(harness, prepared);
    const fleet = await startOn(harness, prepared);
    const peer = await harness.startPeer();
    const loaded = await peaks(fleet, peer);
    for (const target of [fleet.client, peer]) await load(harness, target);
    return findings(harness, first, loaded, await peaks(fleet, peer));
  } finally {
    await rm(prepared, { recursive: true, force: true });
  }
}

/** The decoder's graph is rewritten on the very first start, which takes memory once. */
async function firstStart(harness: Harness, prepared: string): Promise<Peaks> {
  const fleet = await startOn(harness, prepared);
  const first = await peaks(fleet, null);
  await fleet.stop();
  return first;
}

const startOn = (harness: Harness, folder: string): Promise<BenchFleet> =>
  harness.startFleet({ env: { 'prefill-decode': { EPD_DATA_DIR: folder } } });

type Peaks = ReadonlyMap<string, number | null>;

function findings(harness: Harness, first: Peaks, loaded: Peaks, after: Peaks): Findings {
  const rows = [...after].map(([name, bytes]) => [
    name,
    mib(first.get(name)),
    mib(loaded.get(name)),
    mib(bytes),
  ]);
  const share = (name: string): number | null => {
    const [part, whole] = [after.get(name), after.get('peer')];
    return part && whole ? part / whole : null;
  };
  return {
    tables: [table(['process', 'first start, MiB', 'later starts, MiB', 'after load, MiB'], rows)],
    ratios: {
      encoder: share('encoder'),
      prefillDecode: share('prefill-decode'),
      api: share('api'),
    },
    samples: {
      firstStart: Object.fromEntries(first),
      laterStarts: Object.fromEntries(loaded),
      afterLoad: Object.fromEntries(after),
    },
    notes: harness.notes,
  };
}

async function load(harness: Harness, target: Target): Promise<void> {
  const pictures = await harness.newPictures(harness.options.full ? 32 : 8);
  const questions = [...uniqueImages(pictures, harness.model.imageAnswer), ...textOnly(16, 0, 64)];
  await runLoad(target, questions, CONCURRENCY);
}

async function peaks(
  fleet: { pid(role: Role): number },
  peer: { readonly pid: number } | null,
): Promise<Peaks> {
  const pids: (readonly [string, number])[] = ROLES.map((role) => [role, fleet.pid(role)]);
  if (peer !== null) pids.push(['peer', peer.pid]);
  const entries = pids.map(async ([name, pid]) => [name, await peakMemory(pid)] as const);
  return new Map(await Promise.all(entries));
}

const mib = (bytes: number | null | undefined): number | null =>
  bytes === null || bytes === undefined ? null : Math.round(bytes / MIB);
