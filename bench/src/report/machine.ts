import { cpus, loadavg, platform, release, totalmem } from 'node:os';
import { readCoreTime, stolenShare } from '../awake/core-time.ts';

/** Where something was measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly os: string;
  readonly node: string;
  /** Runnable processes, averaged over the minute before: above 0.5 somebody else was at work. */
  readonly loadBefore: number;
  readonly coresKeptAwake: boolean;
  /** Of the cores' time during the measurement, what a virtual machine's host took; null: not known. */
  readonly stolenShare: number | null;
}

/** Looks at the machine before a measurement; what is returned describes it afterwards. */
export function machine(coresKeptAwake: boolean): () => Machine {
  const [first] = cpus();
  const before = readCoreTime();
  const facts = {
    cpu: first?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${platform()} ${release()}`,
    node: process.version,
    loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    coresKeptAwake,
  };
  return () => ({ ...facts, stolenShare: stolenShare(before, readCoreTime()) });
}

export function machineLine(where: Machine): string {
  const { stolenShare: stolen } = where;
  return [
    `${where.cpu}, ${where.cores} cores${where.coresKeptAwake ? ' kept awake' : ''}, ${where.memoryGiB} GiB`,
    where.os,
    `Node ${where.node}`,
    `load before ${where.loadBefore}`,
    ...(stolen === null
      ? []
      : [`${(100 * stolen).toFixed(1)} % of the cores' time taken by the host`]),
  ].join('; ');
}
