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
  let removed = 0;
  let bytes = 0;
  const entries = await listEmbeddings(parts, selection);
  for (const entry of entries) {
    if (!(await parts.usage.claim(entry.mmHash, options))) continue;
    await parts.store.delete(embeddingKey(parts.root, entry.mmHash));
    removed += 1;
    bytes += entry.bytes;
  }
  return { removed, bytes, leased: entries.length - removed };
}

async function adoptAll({ store, usage, root }: CacheParts): Promise<void> {
  for await (const { key, bytes, modifiedAtMs } of store.list(root === '' ? '' : `${root}/`)) {
    const mmHash = mmHashOfKey(root, key);
    if (mmHash !== null) await usage.adopt(mmHash, bytes, modifiedAtMs);
  }
}
