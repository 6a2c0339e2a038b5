import type { CpuTimes } from './cpu-profile.ts';
import type { LoadStats } from './run-load.ts';

export const WORKLOADS = ['unique', 'repeated', 'text'] as const;
export type Workload = (typeof WORKLOADS)[number];

/** The concurrency whose ratios are reported, from several rounds. */
export const RATIOS_AT = 16;

/** One load, put to the fleet and to the peer. */
export interface Served {
  readonly workload: Workload;
  readonly concurrency: number;
  readonly round: number;
  readonly fleet: LoadStats;
  readonly peer: LoadStats;
  /** CPU time per request, by process: the fleet's while it answered, the peer's while that did. */
  readonly cpuMs: CpuTimes;
  /** Requests per second, fleet over peer. */
  readonly ratio: number;
  /** Share of questions that both answered with the same tokens. */
  readonly sameAnswers: number;
}
