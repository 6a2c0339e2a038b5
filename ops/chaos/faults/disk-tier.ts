import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../tools/run.ts';
import { choose, type Fault } from './fault.ts';

/** The disk cache of one PD worker fails: a file in its place, or, where one may mount, a full disk. */
export const diskTier: Fault = async ({ world, fault }) => {
  const target = choose(world.named('pd'), fault.roll);
  const folder = join(world.folder, 'data', target.name, 'embedding-cache');
  const aside = `${folder}.aside`;
  await mkdir(folder, { recursive: true });
  await rename(folder, aside);
  const full = fault.roll % 2 === 0 && (await mountTiny(folder));
  try {
    if (!full) await putFileInPlace(folder);
    await sleep(fault.forMs);
  } finally {
    if (full) await run('umount', ['-l', folder]);
    await rm(folder, { recursive: true, force: true });
    // The worker may have been faster with a new folder; what the old one held was only a cache.
    await rename(aside, folder).catch(() => rm(aside, { recursive: true }));
  }
  return `disk tier of ${target.name} ${full ? 'full' : 'replaced by a file'} for ${fault.forMs} ms`;
};

async function putFileInPlace(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await writeFile(folder, 'a file where a folder should be');
}

async function mountTiny(folder: string): Promise<boolean> {
  await mkdir(folder, { recursive: true });
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'chaos', folder]);
    return true;
  } catch {
    await rm(folder, { recursive: true });
    return false;
  }
}
