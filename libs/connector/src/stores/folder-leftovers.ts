import { opendir, rmdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { TEMPORARY_NAME } from './atomic-file.ts';

/**
 * Removes temporary files below the folder older than the given age, and folders that are empty
 * without them. Skips entries that vanish meanwhile. Returns the number of files.
 */
export async function removeLeftovers(folder: string, olderThanMs: number): Promise<number> {
  const entries = await opendir(folder).catch(() => null);
  if (!entries) return 0;
  let removed = 0;
  for await (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) removed += await removeLeftovers(path, olderThanMs);
    else if (TEMPORARY_NAME.test(entry.name) && (await isOlder(path, olderThanMs))) {
      await unlink(path).catch(() => {});
      removed += 1;
    }
  }
  if (removed > 0) await rmdir(folder).catch(() => {});
  return removed;
}

async function isOlder(path: string, ms: number): Promise<boolean> {
  const stats = await stat(path).catch(() => null);
  return stats !== null && Date.now() - stats.mtimeMs > ms;
}
