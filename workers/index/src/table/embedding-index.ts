import type { ImageRow } from './image-row.ts';
import type { Selection } from './where.ts';

export interface ScoredRow extends Omit<ImageRow, 'vector'> {
  /** Cosine similarity with the query. */
  readonly score: number;
}

export interface ListSelection extends Selection {
  readonly limit: number;
  readonly order: 'asc' | 'desc';
  readonly after?: Pick<ImageRow, 'createdAtMs' | 'id'>;
}

/** A row's key in the index, and what the writer's scan of the store needs of it. */
export type RowKey = Pick<ImageRow, 'id' | 'mmHash' | 'deletedAtMs'>;

/**
 * The contract with a vector database, for the images of one model. Every query is of one tenant, and sees
 * what was written before it began, by whatever process. Methods that write are the elected writer's.
 */
export interface EmbeddingIndex {
  /** Values of a vector. */
  readonly width: number;
  /** Adds rows and replaces those of the same id and a lower `rev`. Atomic; doing it again changes nothing. */
  upsert(rows: readonly ImageRow[]): Promise<void>;
  /** Rows that are not there are no error. */
  remove(ids: readonly string[]): Promise<void>;
  /** Whatever the tenant, deletion marks too. */
  find(ids: readonly string[]): Promise<ImageRow[]>;
  findByHash(mmHashes: readonly string[]): Promise<ImageRow[]>;
  /** The nearest first. With `exact` no approximation. */
  query(
    vector: Float32Array,
    selection: Selection,
    k: number,
    options?: { readonly exact?: boolean },
  ): Promise<ScoredRow[]>;
  list(selection: ListSelection): Promise<ImageRow[]>;
  keys(): AsyncIterable<RowKey>;
  /** Rows, deletion marks among them. */
  count(): Promise<number>;
  /** Compacts fragments of small writes, and updates the search indices. */
  maintain(): Promise<void>;
}
