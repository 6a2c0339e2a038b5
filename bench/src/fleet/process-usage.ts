import { readFile } from 'node:fs/promises';

/** Clock ticks per second in /proc, which Linux has fixed at this towards programs. */
const TICKS_PER_S = 100;

/**
 * The most memory that a process and those it started have had resident so far, each at its own
 * peak, in bytes; null where /proc does not tell.
 */
export async function peakMemory(pid: number): Promise<number | null> {
  return overTree(pid, (id) => statusBytes(id, 'VmHWM'));
}

/** What a process has resident now, in bytes; null where /proc does not tell. */
export const residentMemory = (pid: number): Promise<number | null> => statusBytes(pid, 'VmRSS');

/** CPU time that a process and those it started have used so far, in milliseconds; null as above. */
export async function cpuTimeMs(pid: number): Promise<number | null> {
  return overTree(pid, async (id) => {
    const stat = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => null);
    // The name in parentheses may hold anything; user and system time are fields 14 and 15 of all.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields === undefined) return null;
    return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_S;
  });
}

async function overTree(
  pid: number,
  read: (pid: number) => Promise<number | null>,
): Promise<number | null> {
  const own = await read(pid);
  if (own === null) return null;
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const ids = children.split(' ').filter(Boolean).map(Number);
  const rest = await Promise.all(ids.map((id) => overTree(id, read)));
  return rest.reduce<number>((sum, value) => sum + (value ?? 0), own);
}

async function statusBytes(pid: number, field: 'VmHWM' | 'VmRSS'): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  return kib === undefined ? null : Number(kib) * 1024;
}
