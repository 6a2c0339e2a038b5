import { readFile } from 'node:fs/promises';

/**
 * The most memory that a process and those it started have had resident so far, each at its own
 * peak, in bytes; null where /proc does not tell.
 */
export async function peakMemory(pid: number): Promise<number | null> {
  const own = await statusBytes(pid, 'VmHWM');
  if (own === null) return null;
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const ids = children.split(' ').filter(Boolean).map(Number);
  const peaks = await Promise.all(ids.map(peakMemory));
  return peaks.reduce<number>((sum, peak) => sum + (peak ?? 0), own);
}

/** What a process has resident now, in bytes; null where /proc does not tell. */
export const residentMemory = (pid: number): Promise<number | null> => statusBytes(pid, 'VmRSS');

async function statusBytes(pid: number, field: 'VmHWM' | 'VmRSS'): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  return kib === undefined ? null : Number(kib) * 1024;
}
