import { ObjectTooLargeError } from '../errors.ts';
import type { ObjectStore } from '../stores/object-store.ts';

export const QUARANTINE_PREFIX = 'quarantine/';

/**
 * Quarantines an object. Keeps a copy for diagnosis, unless it is larger than the read limit.
 */
export async function quarantine(
  store: ObjectStore,
  key: string,
  name: string,
  options: { readonly keepCopy: boolean; readonly maxBytes: number },
): Promise<void> {
  const body = options.keepCopy ? await readUnlessHuge(store, key, options.maxBytes) : null;
  if (body) await store.put(QUARANTINE_PREFIX + name, body);
  await store.delete(key);
}

async function readUnlessHuge(
  store: ObjectStore,
  key: string,
  maxBytes: number,
): Promise<Uint8Array | null> {
  try {
    return await store.get(key, { maxBytes });
  } catch (error) {
    if (error instanceof ObjectTooLargeError) return null;
    throw error;
  }
}
