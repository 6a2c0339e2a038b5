import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';

/** Memory of a process in MiB, now and at its highest. */
export async function memoryOf({ pid }: ChildProcess): Promise<{ now: number; peak: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const figure = (name: string): number =>
    Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? Number.NaN) / 1024;
  return { now: figure('VmRSS'), peak: figure('VmHWM') };
}
