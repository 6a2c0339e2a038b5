import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { lock } from 'proper-lockfile';
import { unreachable } from './answer-error.ts';
import { HubError } from './errors.ts';
import type { HubFile } from './hub-client.ts';
import { exists } from './repository-cache.ts';
import { withRetries } from './with-retries.ts';

export interface Download {
  readonly file: HubFile;
  /** Where the whole file is put. */
  readonly target: string;
  readonly open: (offset: number, signal?: AbortSignal) => Promise<Response>;
  /** Bytes of the file that are here by now. */
  readonly onProgress?: (received: number) => void;
  readonly signal?: AbortSignal;
  /** After how long the lock of a process that says nothing is another's to take. @default 15 s */
  readonly lockStaleMs?: number;
}

/** Silence of the line, in milliseconds, after which it counts as broken. */
const SILENCE_MS = 30_000;
/** A process that holds the lock says so every third of this time; one that died loses it. */
const LOCK_STALE_MS = 15_000;
/** How often, in milliseconds, a process that waits for another's download looks again. */
const LOCK_POLL_MS = 1_000;

/**
 * Fetches a file whole: what is there of an earlier try is kept (`<target>.incomplete`), a broken line
 * is resumed where it broke off, the content is compared with its digest, and only then it appears under
 * its name. Processes that want the same file wait for the one that fetches it; one that loses its lock, as
 * after a long sleep of its machine, stops writing and waits for it again. Throws `HubError`.
 */
export async function downloadFile(download: Download): Promise<void> {
  await mkdir(dirname(download.target), { recursive: true });
  while (!(await downloadUnderLock(download)));
}

/** False: the lock was lost on the way, and somebody else may be writing. */
async function downloadUnderLock(download: Download): Promise<boolean> {
  const { target, file, signal, onProgress } = download;
  const lost = new AbortController();
  const release = await takeLock(download, () => lost.abort());
  const both = AbortSignal.any([lost.signal, ...(signal ? [signal] : [])]);
  try {
    if (await exists(target)) return (onProgress?.(file.size), true);
    await withRetries(() => attempt({ ...download, signal: both }), PASSING, both);
    both.throwIfAborted();
    await rename(incomplete(target), target);
    return true;
  } catch (error) {
    if (lost.signal.aborted && signal?.aborted !== true) return false;
    throw error;
  } finally {
    if (!lost.signal.aborted) await release();
  }
}

/** Failures of a line or a server, not of what is asked. */
const PASSING = ['unreachable', 'rate_limited', 'digest_mismatch'] as const;

const incomplete = (target: string): string => `${target}.incomplete`;

async function takeLock(
  { target, signal, lockStaleMs = LOCK_STALE_MS }: Download,
  onCompromised: () => void,
) {
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await lock(target, { realpath: false, stale: lockStaleMs, onCompromised });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
}

async function attempt({ file, target, open: openFile, onProgress, signal }: Download) {
  const part = incomplete(target);
  let { offset, hash } = await resumed(part, file);
  if (offset < file.size || file.size === 0) {
    const response = await openFile(offset, signal);
    // A server that does not know ranges begins anew.
    if (offset > 0 && response.status !== 206) [offset, hash] = [0, newHash(file)];
    await append(response, { part, offset, hash, onProgress, signal, file });
  }
  if (hash.digest('hex') === file.digest) return;
  await rm(part, { force: true });
  const message = `${file.path} came damaged: its digest is not ${file.digest}`;
  throw new HubError('digest_mismatch', message);
}

/** What an earlier try left. More than the file can hold is of no use. */
async function resumed(part: string, file: HubFile): Promise<{ offset: number; hash: Hash }> {
  const size = await stat(part).then(
    (found) => found.size,
    () => 0,
  );
  const hash = newHash(file);
  if (size === 0 || size > file.size) {
    await rm(part, { force: true });
    return { offset: 0, hash };
  }
  await pipeline(createReadStream(part), async (chunks) => {
    for await (const chunk of chunks as AsyncIterable<Buffer>) hash.update(chunk);
  });
  return { offset: size, hash };
}

/** git digests a blob with its kind and length before it. */
function newHash(file: HubFile): Hash {
  return file.isLfs ? createHash('sha256') : createHash('sha1').update(`blob ${file.size}\0`);
}

interface Appending {
  readonly part: string;
  readonly offset: number;
  readonly hash: Hash;
  readonly file: HubFile;
  readonly onProgress: Download['onProgress'] | undefined;
  readonly signal: AbortSignal | undefined;
}

async function append(response: Response, to: Appending): Promise<void> {
  const { part, offset, hash, file, onProgress, signal } = to;
  const handle = await open(part, offset === 0 ? 'w' : 'a');
  let received = offset;
  try {
    for await (const chunk of chunksOf(response, signal)) {
      received += chunk.length;
      if (received > file.size) break;
      hash.update(chunk);
      await handle.write(chunk);
      onProgress?.(received);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  if (received === file.size) return;
  if (received > file.size) await rm(part, { force: true });
  throw unreachable(
    new URL(response.url).origin,
    `the line broke at ${received} of ${file.size} bytes`,
  );
}

/** The body's chunks; ends early, without an error, where the line breaks or falls silent. */
async function* chunksOf(response: Response, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const { done, value } = await beforeSilence(reader);
      signal?.throwIfAborted();
      if (done) return;
      yield value;
    }
  } catch (error) {
    if (signal?.aborted === true) throw error;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function beforeSilence(reader: ReadableStreamDefaultReader<Uint8Array>) {
  const silence = Promise.withResolvers<never>();
  const timer = setTimeout(() => silence.reject(new Error('silence')), SILENCE_MS);
  return Promise.race([reader.read(), silence.promise]).finally(() => clearTimeout(timer));
}
