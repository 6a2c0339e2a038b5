import { randomUUID } from 'node:crypto';
import type { ObjectStore } from '@epd/connector';

/** Where a store says which one it is. Written once, by the first process that uses it. */
const KEY = 'owner/store';
const MAX_BYTES = 64;

/** The id of a store, whichever way it is reached; null where it has none yet. Writes nothing. */
export async function readStoreId(store: Pick<ObjectStore, 'get'>): Promise<string | null> {
  const bytes = await store.get(KEY, { maxBytes: MAX_BYTES });
  return bytes === null ? null : Buffer.from(bytes).toString();
}

/**
 * The id of a store; a store that has none is given what `mint` answers. Some S3 servers ignore `onlyIfAbsent`:
 * there racing processes agree only when their `mint` gives all of them the same id.
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
