import { readFileSync } from 'node:fs';

/** Ticks of all cores since the system started, as the first line of `/proc/stat` counts them. */
export interface CoreTime {
  readonly total: number;
  /** Wanted by this machine while its host ran something else. */
  readonly stolen: number;
}

/** Where the eighth figure, `steal`, stands; guests' times behind it are counted in the first two. */
const STEAL = 7;

/** Null where there is no `/proc/stat`. */
export function readCoreTime(): CoreTime | null {
  try {
    return parseCoreTime(readFileSync('/proc/stat', 'utf8'));
  } catch {
    return null;
  }
}

export function parseCoreTime(stat: string): CoreTime {
  const [line = ''] = stat.split('\n');
  const ticks = line
    .split(/\s+/)
    .slice(1)
    .map(Number)
    .slice(0, STEAL + 1);
  return { total: ticks.reduce((sum, tick) => sum + tick, 0), stolen: ticks[STEAL] ?? 0 };
}

/** Of the cores' time between two readings, what the host took; null when that is not known. */
export function stolenShare(before: CoreTime | null, after: CoreTime | null): number | null {
  if (!before || !after || after.total <= before.total) return null;
  return (after.stolen - before.stolen) / (after.total - before.total);
}
