import type { CpuTimes } from '../load/cpu-profile.ts';
import type { Workload } from '../load/served.ts';
import type { PartTimes } from './cpu-profile-file.ts';
import type { Traffic } from './redis-traffic.ts';

export type NodeRole = 'api' | 'encoder' | 'prefill-decode';

/** What one load costs in CPU time and commands, per request. */
export interface Overhead {
  readonly workload: Workload;
  readonly cpuMs: CpuTimes;
  /** Profiled, by process, of its threads together. */
  readonly parts: Readonly<Record<NodeRole, PartTimes>>;
  readonly traffic: Traffic;
}
