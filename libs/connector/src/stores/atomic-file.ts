import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { partsOf, type ObjectBody } from './object-body.ts';

/** No key has a `~`. */
export const TEMPORARY_NAME = /^~[0-9a-f]{16}$/;

export interface FileModes {
  readonly file: number;
  readonly directory: number;
}

/** Writes the bytes to a temporary file beside their target, whose folder is there. Returns its path. */
export async function writeTemporary(
  target: string,
  body: ObjectBody,
  fileMode: number,
  durable: boolean,
): Promise<string> {
  const temporary = join(dirname(target), `~${randomBytes(8).toString('hex')}`);
  const file = await open(temporary, 'wx', fileMode);
  try {
    await writeParts(file, partsOf(body));
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

/** One system call, unless the disk takes less at a time. */
async function writeParts(file: FileHandle, parts: readonly Uint8Array[]): Promise<void> {
  let { bytesWritten: written } = await file.writev(parts);
  for (const part of parts) {
    if (written < part.byteLength) await file.appendFile(part.subarray(written));
    written = Math.max(0, written - part.byteLength);
  }
}

/** Returns whether the folder is new. A new one is durable once its parent folder is. */
export async function makeFolder(folder: string, mode: number, durable: boolean): Promise<boolean> {
  const first = await mkdir(folder, { recursive: true, mode });
  if (first === undefined || !durable) return first !== undefined;
  for (let made = folder; made.length >= first.length; made = dirname(made)) {
    await syncFolder(dirname(made));
  }
  return true;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
