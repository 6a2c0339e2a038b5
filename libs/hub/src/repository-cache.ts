import { access, mkdir, readFile, rename, symlink, unlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { randomUUID } from 'node:crypto';
import type { HubFile } from './hub-client.ts';

/**
 * One repository in the Hub's own cache layout, which its Python client shares:
 * `models--org--name/refs/<revision>` holds a commit, `blobs/<digest>` the contents, and
 * `snapshots/<commit>/<path>` links to them.
 */
export class RepositoryCache {
  readonly folder: string;

  constructor(cacheFolder: string, repository: string) {
    this.folder = join(cacheFolder, `models--${repository.replaceAll('/', '--')}`);
  }

  /** The commit that a revision stood for when it was last asked for; a commit stands for itself. */
  async commitOf(revision: string): Promise<string | null> {
    const ref = await readFile(join(this.folder, 'refs', revision), 'utf8').catch(() => null);
    if (ref !== null) return ref.trim();
    return (await exists(this.snapshot(revision))) ? revision : null;
  }

  async setCommit(revision: string, commit: string): Promise<void> {
    if (revision === commit) return;
    const file = join(this.folder, 'refs', revision);
    await mkdir(dirname(file), { recursive: true });
    const draft = `${file}.${randomUUID()}`;
    await writeFile(draft, commit);
    await rename(draft, file);
  }

  snapshot(commit: string): string {
    return join(this.folder, 'snapshots', commit);
  }

  blob(file: HubFile): string {
    return join(this.folder, 'blobs', file.digest);
  }

  /** Whether the commit's file is there, whole. */
  has(commit: string, file: HubFile): Promise<boolean> {
    return exists(join(this.snapshot(commit), file.path));
  }

  /** Puts a content that is there under its path in a commit. Made whole or not at all. */
  async link(commit: string, file: HubFile): Promise<void> {
    const path = join(this.snapshot(commit), file.path);
    await mkdir(dirname(path), { recursive: true });
    const draft = `${path}.${randomUUID()}`;
    await symlink(relative(dirname(path), this.blob(file)), draft);
    await rename(draft, path).catch(async (error: unknown) => {
      await unlink(draft).catch(() => undefined);
      throw error;
    });
  }
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
