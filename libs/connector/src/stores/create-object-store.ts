import { BoundedStore } from './bounded-store.ts';
import { FolderStore } from './folder-store.ts';
import { MemoryStore } from './memory-store.ts';
import type { ObjectStore } from './object-store.ts';
import type { S3StoreOptions } from './s3-store.ts';
import { TieredStore, type Tier } from './tiered-store.ts';

export type ObjectStoreConfig = BaseStoreConfig & {
  /** Caches of this process in front of the store, nearest first. */
  readonly caches?: {
    readonly memoryBytes?: number;
    readonly disk?: { readonly root: string; readonly maxBytes: number };
    /** Called when a cache failed: reads are slower, nothing else. */
    readonly onError?: (tier: string, error: unknown) => void;
  };
};

type BaseStoreConfig =
  | {
      readonly kind: 'folder';
      readonly root: string;
      readonly fileMode?: number;
      readonly directoryMode?: number;
    }
  | ({ readonly kind: 's3' } & Omit<S3StoreOptions, 'client'>)
  | { readonly kind: 'memory'; readonly maxBytes?: number };

/**
 * Creates the store that the settings describe. Does not contact it; see `ping` and
 * `S3Store.ensureBucket`. S3's client is loaded only where it is used: it takes memory and time to start.
 */
export async function createObjectStore(config: ObjectStoreConfig): Promise<ObjectStore> {
  const tiers = cacheTiers(config.caches ?? {});
  const store = await baseStore(config);
  if (tiers.length === 0) return store;
  const { onError: onCacheError } = config.caches ?? {};
  const options = onCacheError === undefined ? {} : { onCacheError };
  return new TieredStore([...tiers, { name: config.kind, store }], options);
}

async function baseStore(config: BaseStoreConfig): Promise<ObjectStore> {
  if (config.kind === 'folder') return new FolderStore(config);
  if (config.kind === 'memory') return new MemoryStore(config);
  const { S3Store } = await import('./s3-store.ts');
  return new S3Store(config);
}

function cacheTiers({ memoryBytes, disk }: NonNullable<ObjectStoreConfig['caches']>): Tier[] {
  const tiers: Tier[] = [];
  if (memoryBytes)
    tiers.push({ name: 'memory', store: new MemoryStore({ maxBytes: memoryBytes }) });
  if (disk) {
    const folder = new FolderStore({ root: disk.root, durable: false });
    tiers.push({ name: 'disk', store: new BoundedStore(folder, disk.maxBytes) });
  }
  return tiers;
}
