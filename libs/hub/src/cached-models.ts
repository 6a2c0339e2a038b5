import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A repository in the cache. */
export interface CachedModel {
  readonly repository: string;
  readonly folder: string;
  /** Branches and tags with their commits. */
  readonly revisions: Readonly<Record<string, string>>;
  /** Of contents that are whole, in bytes. */
  readonly bytes: number;
  /** Of downloads that are not whole. */
  readonly incompleteBytes: number;
}

/** What the cache holds, by name. Data sets and spaces, which share it, are left out. */
export async function cachedModels(cacheFolder: string): Promise<CachedModel[]> {
  const names = await readdir(cacheFolder).catch(() => []);
  const models = names.filter((name) => name.startsWith('models--'));
  return Promise.all(models.toSorted().map((name) => describe(cacheFolder, name)));
}

/** Removes a repository from the cache; false when it was not there. */
export async function removeCachedModel(cacheFolder: string, repository: string): Promise<boolean> {
  const found = (await cachedModels(cacheFolder)).find((model) => model.repository === repository);
  if (!found) return false;
  await rm(found.folder, { recursive: true, force: true });
  return true;
}

async function describe(cacheFolder: string, name: string): Promise<CachedModel> {
  const folder = join(cacheFolder, name);
  const blobs = await sizesIn(join(folder, 'blobs'));
  const whole = blobs.filter(({ file }) => !file.endsWith('.incomplete'));
  return {
    repository: name.slice('models--'.length).replace('--', '/'),
    folder,
    revisions: await refsIn(join(folder, 'refs')),
    bytes: sum(whole),
    incompleteBytes: sum(blobs) - sum(whole),
  };
}

const sum = (files: readonly { size: number }[]): number =>
  files.reduce((all, { size }) => all + size, 0);

async function sizesIn(folder: string): Promise<{ file: string; size: number }[]> {
  const files = await readdir(folder).catch(() => []);
  const sizes = files.map(async (file) => {
    const found = await stat(join(folder, file)).catch(() => null);
    return { file, size: found?.isFile() === true ? found.size : 0 };
  });
  return Promise.all(sizes);
}

async function refsIn(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  const pairs = files.map(async ({ parentPath, name }) => {
    const path = join(parentPath, name);
    return [path.slice(folder.length + 1), (await readFile(path, 'utf8')).trim()] as const;
  });
  return Object.fromEntries(await Promise.all(pairs));
}
