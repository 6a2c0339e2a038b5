import { readFile } from 'node:fs/promises';
import type { ChildProcess } from 'node:child_process';

/** The most memory, in MiB, that a process has had. */
export async function peakMiB({ pid }: Pick<ChildProcess, 'pid'>): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024);
}
