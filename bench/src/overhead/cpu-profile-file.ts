import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { partOf, type Frame } from './part-of.ts';

/** What a thread was seen doing in a window, in milliseconds by part; idle time is left out. */
export type PartTimes = ReadonlyMap<string, number>;

export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: Frame;
    readonly children?: readonly number[];
  }[];
  /** Microseconds on the system's monotonic clock. */
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** From and to, in microseconds on the clock that `process.hrtime` reads. */
export type Window = readonly [from: number, to: number];

export const nowUs = (): number => Number(process.hrtime.bigint() / 1000n);

/** The profiles of each of a folder's threads, as `--cpu-prof` wrote them when the process ended. */
export async function readProfiles(folder: string): Promise<CpuProfile[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.cpuprofile'));
  const texts = names.map((name) => readFile(join(folder, name), 'utf8'));
  return (await Promise.all(texts)).map((text) => JSON.parse(text) as CpuProfile);
}

/** Time by part of all threads together, within the window. */
export function timesWithin(profiles: readonly CpuProfile[], window: Window): PartTimes {
  const total = new Map<string, number>();
  for (const profile of profiles) addTimes(total, profile, window);
  return total;
}

function addTimes(total: Map<string, number>, profile: CpuProfile, [from, to]: Window): void {
  const parts = partsById(profile);
  let now = profile.startTime;
  for (const [i, id] of profile.samples.entries()) {
    now += profile.timeDeltas[i] ?? 0;
    const lastsUs = profile.timeDeltas[i + 1] ?? 0;
    const part = parts.get(id) ?? null;
    if (part === null || now < from || now >= to) continue;
    total.set(part, (total.get(part) ?? 0) + lastsUs / 1000);
  }
}

/** A native function counts for who calls it. */
function partsById({ nodes }: CpuProfile): Map<number, string | null> {
  const parents = new Map<number, number>();
  for (const { id, children } of nodes) for (const child of children ?? []) parents.set(child, id);
  const parts = new Map<number, string | null>();
  // A parent stands before its children.
  for (const { id, callFrame } of nodes) {
    parts.set(id, partOf(callFrame, parts.get(parents.get(id) ?? 0) ?? null));
  }
  return parts;
}
