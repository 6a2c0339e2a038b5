import {
  embeddingKey,
  mmHashOfKey,
  type EmbeddingUsage,
  type ObjectStore,
  type UsageEntry,
} from '@epd/connector';
import { isSelected, type Selection } from './selection.ts';

export interface CacheParts {
  readonly store: ObjectStore;
  readonly usage: EmbeddingUsage;
  readonly root: string;
}

export interface PurgeResult {
  readonly removed: number;
  readonly bytes: number;
  /** Left because live jobs hold them. */
  readonly leased: number;
  /** In the books, and not in the store. */
  readonly missing: number;
}

/** What is in the store, longest unused first; what the books do not know is in them afterwards. */
export async function listEmbeddings(
  parts: CacheParts,
  selection: Selection,
): Promise<UsageEntry[]> {
  await adoptAll(parts);
  const nowMs = await parts.usage.nowMs();
  const entries: UsageEntry[] = [];
  for await (const entry of parts.usage.entries()) {
    if (isSelected(entry, selection, nowMs)) entries.push(entry);
  }
  return entries.toSorted((a, b) => a.lastUsedAtMs - b.lastUsedAtMs);
}

/** Deletes what is selected; with `force` also what live jobs hold, which have it encoded again. */
export async function purgeEmbeddings(
  parts: CacheParts,
  selection: Selection,
  options: { readonly force: boolean },
): Promise<PurgeResult> {
  const result = { removed: 0, bytes: 0, leased: 0, missing: 0 };
  for (const entry of await listEmbeddings(parts, selection)) {
    if (!(await parts.usage.claim(entry.mmHash, options))) {
      result.leased += 1;
    } else if (await remove(parts, entry.mmHash)) {
      result.removed += 1;
      result.bytes += entry.bytes;
    } else {
      result.missing += 1;
    }
  }
  return result;
}

/** False: there was nothing to delete. */
async function remove({ store, root }: CacheParts, mmHash: string): Promise<boolean> {
  const key = embeddingKey(root, mmHash);
  if ((await store.stat(key)) === null) return false;
  await store.delete(key);
  return true;
}

async function adoptAll({ store, usage, root }: CacheParts): Promise<void> {
  for await (const { key, bytes, modifiedAtMs } of store.list(root === '' ? '' : `${root}/`)) {
    const mmHash = mmHashOfKey(root, key);
    if (mmHash !== null) await usage.adopt(mmHash, bytes, modifiedAtMs);
  }
}
