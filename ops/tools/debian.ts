import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { projectPath } from '@epd/service';
import { cached } from './cache.ts';
import { run } from './run.ts';

/**
 * The files of Debian packages, unpacked into a folder of `.cache` and not installed: nothing of the
 * machine changes, and it needs no root. Packages that they depend on are the caller's to name.
 */
export function debianPackages(name: string, packages: readonly string[]): Promise<string> {
  return cached(`debian/${name}`, async (folder) => {
    await download(packages, folder);
    const archives = (await readdir(folder)).filter((file) => file.endsWith('.deb'));
    for (const archive of archives) {
      await run('dpkg-deb', ['-x', join(folder, archive), folder]);
      await rm(join(folder, archive));
    }
  });
}

/** The machine's own package lists where it has them, else lists of the project's. */
async function download(packages: readonly string[], folder: string): Promise<void> {
  const get = (options: readonly string[]): Promise<string> =>
    run('apt-get', ['-q', ...options, 'download', ...packages], { cwd: folder });
  try {
    await get([]);
  } catch {
    const options = await ownLists();
    await run('apt-get', ['-q', ...options, 'update']);
    await get(options);
  }
}

async function ownLists(): Promise<string[]> {
  const lists = projectPath('.cache/apt/lists');
  const cache = projectPath('.cache/apt/cache');
  await mkdir(join(lists, 'partial'), { recursive: true });
  await mkdir(join(cache, 'archives/partial'), { recursive: true });
  return ['-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${cache}`];
}
