import {
  embeddingKey,
  INPUT_PREFIX,
  inputKey,
  isInputKey,
  mmHash,
  type EmbeddingUsage,
  type InputRef,
  type ObjectStore,
} from '@epd/connector';
import { imageId, type BackfillResult } from '@epd/image-index';
import type { ModelCard, ModelRegistry } from '@epd/fleet';
import { readPictureHeader } from '@epd/picture';
import type { EmbeddingIndex } from '../table/embedding-index.ts';
import type { ImageTables } from '../table/image-tables.ts';
import type { BatchIndexer } from './batch-indexer.ts';
import type { Sighting } from './sighting.ts';

/** Embeddings in one question to Redis. */
const ASKED_AT_ONCE = 1_000;
/** Rows in one write: each is a state of the table that readers look for. */
const ROWS_A_WRITE = 200;
const MAX_IMAGE_BYTES = 256 * 1024 * 1024;

export interface StoreLookParts {
  readonly tables: Pick<ImageTables, 'all'>;
  readonly indexer: Pick<BatchIndexer, 'write'>;
  readonly store: ObjectStore;
  readonly usage: Pick<EmbeddingUsage, 'entries' | 'known'>;
  readonly models: Pick<ModelRegistry, 'models'>;
}

/** A tenant's stored embedding that has no row. */
interface Missing {
  readonly mmHash: string;
  readonly tenant: string;
  readonly model: string;
  readonly lastUsedAtMs: number;
}

/**
 * Brings the index in step with the store, whatever messages were missed: rows without an embedding go,
 * embeddings without a row get one. What the books say of an embedding is its tenant and model; which
 * picture it is of is found by making the keys of all stored pictures. The callers' metadata is not found.
 */
export class StoreLook {
  readonly #parts: StoreLookParts;
  /** Embeddings whose pictures are missing: this process does not look for them again. */
  readonly #unknown = new Set<string>();

  constructor(parts: StoreLookParts) {
    this.#parts = parts;
  }

  async look(): Promise<BackfillResult> {
    const known = new Set<string>();
    let removed = 0;
    for (const table of await this.#parts.tables.all())
      removed += await this.#removeVanished(table, known);
    const missing = await this.#missing(known);
    const added = missing.length === 0 ? 0 : await this.#add(missing);
    return { added, removed, unknown: this.#unknown.size };
  }

  /** Notes the ids of the rows that stay. */
  async #removeVanished(table: EmbeddingIndex, known: Set<string>): Promise<number> {
    const idsByHash = new Map<string, string[]>();
    for await (const { id, mmHash: hash } of table.keys()) {
      known.add(id);
      idsByHash.set(hash, [...(idsByHash.get(hash) ?? []), id]);
    }
    const hashes = [...idsByHash.keys()];
    let removed = 0;
    for (let at = 0; at < hashes.length; at += ASKED_AT_ONCE) {
      const vanished = await this.#vanished(hashes.slice(at, at + ASKED_AT_ONCE));
      const ids = vanished.flatMap((hash) => idsByHash.get(hash) ?? []);
      await table.remove(ids);
      for (const id of ids) known.delete(id);
      removed += ids.length;
    }
    return removed;
  }

  /** The books may have lost an entry: the store decides. */
  async #vanished(hashes: readonly string[]): Promise<string[]> {
    const { usage, store } = this.#parts;
    const inBooks = await usage.known(hashes);
    const vanished: string[] = [];
    for (const hash of hashes.filter((_, index) => !inBooks[index])) {
      if ((await store.stat(embeddingKey('embeddings', hash))) === null) vanished.push(hash);
    }
    return vanished;
  }

  async #missing(known: ReadonlySet<string>): Promise<Missing[]> {
    const missing: Missing[] = [];
    for await (const { mmHash: hash, tenant, model, lastUsedAtMs } of this.#parts.usage.entries()) {
      if (tenant === undefined || model === undefined || this.#unknown.has(hash)) continue;
      if (!known.has(imageId(tenant, hash)))
        missing.push({ mmHash: hash, tenant, model, lastUsedAtMs });
    }
    return missing;
  }

  async #add(missing: readonly Missing[]): Promise<number> {
    const sought = new Map(missing.map((each) => [each.mmHash, each]));
    const cards = await this.#parts.models.models();
    let found: Sighting[] = [];
    let added = 0;
    for await (const { key, bytes } of this.#parts.store.list(INPUT_PREFIX)) {
      if (!isInputKey(key)) continue;
      for (const [card, each] of matches(key.slice(INPUT_PREFIX.length), cards, sought)) {
        sought.delete(each.mmHash);
        const sighting = await this.#sighting(key, bytes, card, each);
        if (sighting) found.push(sighting);
      }
      if (found.length < ROWS_A_WRITE) continue;
      added += await this.#write(found);
      found = [];
    }
    added += await this.#write(found);
    for (const hash of sought.keys()) this.#unknown.add(hash);
    return added;
  }

  #write(sightings: readonly Sighting[]): Promise<number> {
    return this.#parts.indexer.write(sightings.map((sighting) => ({ sighting, noticeId: null })));
  }

  async #sighting(
    key: string,
    bytes: number,
    { fingerprint }: ModelCard,
    { mmHash: hash, tenant, model, lastUsedAtMs }: Missing,
  ): Promise<Sighting | null> {
    const input = await this.#readInput(key, bytes);
    if (!input) return null;
    const id = imageId(tenant, hash);
    const sighted = { id, tenant, model, fingerprint, mmHash: hash, input };
    return { ...sighted, atMs: lastUsedAtMs, jobId: null, metadata: {} };
  }

  /** What the API read from the header when it accepted the picture. */
  async #readInput(key: string, bytes: number): Promise<InputRef | null> {
    const body = await this.#parts.store.get(key, { maxBytes: MAX_IMAGE_BYTES });
    if (!body) return null;
    try {
      const { mediaType, width, height } = await readPictureHeader(body);
      const sha256 = key.slice(INPUT_PREFIX.length);
      return { key: inputKey(sha256), sha256, mediaType, bytes, width, height };
    } catch {
      return null; // it was accepted by its header, and cannot be read: an encoder could not either
    }
  }
}

/** Which of the missing embeddings are of a picture, by their keys. */
function* matches(
  contentSha256: string,
  cards: readonly ModelCard[],
  sought: ReadonlyMap<string, Missing>,
): Iterable<[ModelCard, Missing]> {
  const scopes = new Set(['']);
  for (const { tenant } of sought.values()) scopes.add(tenant);
  for (const card of cards) {
    for (const tenant of scopes) {
      const key = mmHash({
        tenant,
        modality: 'image',
        fingerprint: card.fingerprint,
        processing: card.processing,
        contentSha256,
      });
      const found = sought.get(key);
      if (found?.model === card.id) yield [card, found];
    }
  }
}
