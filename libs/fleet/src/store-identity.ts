import { randomUUID } from 'node:crypto';
import type { ObjectStore } from '@epd/connector';

/** Object with the id of a store. Written once, by the first process that uses the store. */
const KEY = 'owner/store';
const MAX_BYTES = 64;

/** The id of a store, however it is reached; null if it has none yet. Writes nothing. */
export async function readStoreId(store: Pick<ObjectStore, 'get'>): Promise<string | null> {
  const bytes = await store.get(KEY, { maxBytes: MAX_BYTES });
  return bytes === null ? null : Buffer.from(bytes).toString();
}

/**
 * The id of a store; a store without one gets the result of `mint`. Some S3 servers ignore
 * `onlyIfAbsent`: there racing processes agree only if their `mint` returns the same id to all of
 * them.
 */
export async function ensureStoreId(
  store: Pick<ObjectStore, 'get' | 'put'>,
  mint: () => string | Promise<string> = randomUUID,
): Promise<string> {
  const known = await readStoreId(store);
  if (known !== null) return known;
  const fresh = await mint();
  const { created } = await store.put(KEY, Buffer.from(fresh), { onlyIfAbsent: true });
  return created ? fresh : ((await readStoreId(store)) ?? fresh);
}

/** For a store that was emptied, or restored from elsewhere, while it was in use. */
export async function restoreStoreId(store: Pick<ObjectStore, 'put'>, id: string): Promise<void> {
  await store.put(KEY, Buffer.from(id));
}
