import type { Role } from './fleet/fleet.ts';
import { peakMemory } from './fleet/peak-memory.ts';
import { modelNotes, type Harness } from './harness.ts';
import type { Findings } from './json.ts';
import { runLoad } from './load/run-load.ts';
import { textOnly, uniqueImages } from './load/workloads.ts';
import type { Target } from './question.ts';
import { table } from './table.ts';

const CONCURRENCY = 8;
const MIB = 2 ** 20;
const ROLES: readonly Role[] = ['encoder', 'prefill-decode', 'api', 'redis'];

/** Peak resident memory of each process after the same load, beside one process with the whole model. */
export async function memory(harness: Harness): Promise<Findings> {
  const fleet = await harness.startFleet();
  const peer = await harness.startPeer();
  const loaded = await peaks(fleet, peer);
  for (const target of [fleet.client, peer]) await load(harness, target);
  const after = await peaks(fleet, peer);
  const rows = [...after].map(([name, bytes]) => [name, mib(loaded.get(name)), mib(bytes)]);
  const share = (name: string): number | null => {
    const [part, whole] = [after.get(name), after.get('peer')];
    return part && whole ? part / whole : null;
  };
  return {
    tables: [table(['process', 'when loaded, MiB', 'peak after load, MiB'], rows)],
    ratios: {
      encoder: share('encoder'),
      prefillDecode: share('prefill-decode'),
      api: share('api'),
    },
    samples: { loaded: Object.fromEntries(loaded), peak: Object.fromEntries(after) },
    notes: modelNotes(harness.model),
  };
}

async function load(harness: Harness, target: Target): Promise<void> {
  const pictures = await harness.newPictures(harness.options.full ? 32 : 8);
  const questions = [...uniqueImages(pictures, harness.model.imageAnswer), ...textOnly(16, 0, 64)];
  await runLoad(target, questions, CONCURRENCY);
}

async function peaks(
  fleet: { pid(role: Role): number },
  peer: { readonly pid: number },
): Promise<Map<string, number | null>> {
  const pids = [
    ...ROLES.map((role) => [role, fleet.pid(role)] as const),
    ['peer', peer.pid] as const,
  ];
  const entries = pids.map(async ([name, pid]) => [name, await peakMemory(pid)] as const);
  return new Map(await Promise.all(entries));
}

const mib = (bytes: number | null | undefined): number | null =>
  bytes === null || bytes === undefined ? null : Math.round(bytes / MIB);
