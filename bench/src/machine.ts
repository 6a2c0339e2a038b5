import { cpus, loadavg, platform, release, totalmem } from 'node:os';

/** Where something was measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly os: string;
  readonly node: string;
  /** Runnable processes, averaged over the minute before: above 0.5 somebody else was at work. */
  readonly loadBefore: number;
}

export function machine(): Machine {
  const [first] = cpus();
  return {
    cpu: first?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${platform()} ${release()}`,
    node: process.version,
    loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

export const machineLine = (where: Machine): string =>
  `${where.cpu}, ${where.cores} cores, ${where.memoryGiB} GiB; ${where.os}; Node ${where.node}; load before ${where.loadBefore}`;
