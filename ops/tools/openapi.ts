import { createHash } from 'node:crypto';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache.ts';
import { run } from './run.ts';

const PINNED = join(import.meta.dirname, 'openapi-tools');
const FILES = ['package.json', 'package-lock.json'];

/**
 * A folder with `node_modules` in which a linter of API descriptions, a generator of types and a client over these
 * are: in versions that a lockfile of their own pins. Installed once.
 */
export async function openapiTools(): Promise<string> {
  const lock = await readFile(join(PINNED, 'package-lock.json'));
  const version = createHash('sha256').update(lock).digest('hex').slice(0, 12);
  return cached(`openapi-tools-${version}`, async (folder) => {
    for (const file of FILES) await copyFile(join(PINNED, file), join(folder, file));
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder });
  });
}
