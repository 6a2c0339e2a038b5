import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { partsOf, type ObjectBody } from './object-body.ts';

/** No key has a `~`. */
export const TEMPORARY_NAME = /^~[0-9a-f]{16}$/;

export interface FileModes {
  readonly file: number;
  readonly directory: number;
}

/** Writes the bytes to a temporary file beside their target. Returns its path. */
export async function writeTemporary(
  target: string,
  body: ObjectBody,
  modes: FileModes,
  durable: boolean,
): Promise<string> {
  await makeFolder(dirname(target), modes.directory, durable);
  const temporary = join(dirname(target), `~${randomBytes(8).toString('hex')}`);
  const file = await open(temporary, 'wx', modes.file);
  try {
    for (const part of partsOf(body)) await file.appendFile(part);
    if (durable) await file.sync();
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  } finally {
    await file.close();
  }
  return temporary;
}

/**
 * Publishes a written file under its name, atomically. A link fails if the name is taken, a rename
 * replaces. Returns whether the name is now this file's.
 */
export async function publishFile(
  temporary: string,
  target: string,
  options: { readonly onlyIfAbsent: boolean; readonly durable: boolean },
): Promise<boolean> {
  let created = true;
  try {
    if (options.onlyIfAbsent) created = await linkIfAbsent(temporary, target);
    else await rename(temporary, target);
  } finally {
    await unlink(temporary).catch(() => {});
  }
  if (created && options.durable) await syncFolder(dirname(target));
  return created;
}

async function linkIfAbsent(temporary: string, target: string): Promise<boolean> {
  try {
    await link(temporary, target);
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') return false;
    // No hard links here (some network file systems): replacing is the next best, and harmless for
    // content-addressed keys.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
    await rename(temporary, target);
    return true;
  }
}

/** A new folder is durable once its parent folder is. */
async function makeFolder(folder: string, mode: number, durable: boolean): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode });
  if (first === undefined || !durable) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) {
    await syncFolder(dirname(made));
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
