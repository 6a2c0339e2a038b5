import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { projectPath } from '@epd/service';

/**
 * A folder of `.cache`, made once: `fill` works in a folder of its own, which takes the name only
 * when it is whole. So two processes may ask at once, and one that is killed leaves nothing half made.
 */
export async function cached(
  name: string,
  fill: (folder: string) => Promise<unknown>,
): Promise<string> {
  const folder = projectPath(`.cache/${name}`);
  if (existsSync(folder)) return folder;
  const draft = `${folder}.${randomBytes(4).toString('hex')}`;
  await mkdir(draft, { recursive: true });
  try {
    await fill(draft);
    await mkdir(dirname(folder), { recursive: true });
    await rename(draft, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error; // somebody else was first, and theirs is as good
    });
    return folder;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
