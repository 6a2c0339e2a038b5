import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** A command held to some cores by `taskset`, or as it is when `cores` is null. */
export function pinned(
  cores: string | null,
  command: string,
  args: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  if (cores === null) return { command, args };
  return { command: 'taskset', args: ['-c', cores, command, ...args] };
}

export const ALL_CORES = `0-${availableParallelism() - 1}`;

/** Holds this process, all its threads, to some cores from now on. */
export function pinSelf(cores: string): void {
  spawnSync('taskset', ['-acp', cores, String(process.pid)], { stdio: 'ignore' });
}

/** Whether processes can be held to cores here: taskset is there, and there are two cores at least. */
export function canPin(): boolean {
  const probe = spawnSync('taskset', ['-c', '0,1', 'true'], { stdio: 'ignore' });
  return probe.status === 0 && availableParallelism() >= 2;
}
