import type { ObjectBody } from './object-body.ts';

/** What a store knows about an object without reading it. */
export interface ObjectStat {
  /** Null if the store does not report it before the object is read. */
  readonly bytes: number | null;
  readonly etag: string;
  /** When it was last written or touched, in milliseconds since the epoch. */
  readonly modifiedAtMs: number;
}

export interface SizedStat extends ObjectStat {
  readonly bytes: number;
}

/** An object as a list names it. */
export interface ListedObject extends SizedStat {
  readonly key: string;
}

export interface PutResult {
  readonly etag: string;
  /** False when `onlyIfAbsent` found the object there; the stored bytes are then the earlier ones. */
  readonly created: boolean;
}

export interface PutOptions {
  readonly onlyIfAbsent?: boolean;
  /**
   * What is written can be made again, and its readers verify it: the put need not wait until the disk has it. It
   * outlives the process all the same, and may be lost, or damaged, with the host.
   */
  readonly canBeRemade?: boolean;
}

export interface GetOptions {
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  /**
   * Allocates the memory for a body of the given size, if the store has to read it from elsewhere.
   * The result may still be the store's own memory.
   */
  readonly allocate?: (bytes: number) => Uint8Array;
}

export interface ByteRange {
  readonly start: number;
  /** At least 1. */
  readonly bytes: number;
}

/**
 * The whole contract with an object store. Keys are relative paths of `[A-Za-z0-9._-]` segments
 * joined by `/`, never `.` or `..`; anything else throws `StoreKeyError`. A store that cannot be
 * reached throws `StoreUnavailableError` (retryable); nothing else leaves these methods.
 */
export interface ObjectStore {
  /**
   * Atomic and, save with `canBeRemade`, durable when it resolves: a reader sees the old object or the whole new one. `body`
   * must not change until then.
   */
  put(key: string, body: ObjectBody, options?: PutOptions): Promise<PutResult>;
  /**
   * The object's bytes, or null when there is none. Callers must not write to them: they may be the
   * store's own. Larger than `maxBytes` throws `ObjectTooLargeError`. An aborted `signal` rejects
   * with its reason.
   */
  get(key: string, options?: GetOptions): Promise<Uint8Array | null>;
  /**
   * `range.bytes` bytes from offset `range.start` on, fewer at the object's end and none past it; null when
   * there is no such object. Use it to read a large object piece by piece.
   */
  getRange(key: string, range: ByteRange): Promise<Uint8Array | null>;
  /** Null when there is no such object. Creates nothing. */
  stat(key: string): Promise<ObjectStat | null>;
  /** Deleting a missing object is not an error. */
  delete(key: string): Promise<void>;
  /** Every object whose key starts with `prefix`, in no particular order. */
  list(prefix: string): AsyncIterable<ListedObject>;
  /** Whether a put with `onlyIfAbsent` is decided by the store itself; absent: it is. */
  honoursConditions?(): Promise<boolean>;
  /** Resolves when the store responds; throws `StoreUnavailableError` otherwise. For readiness. */
  ping(): Promise<void>;
  close(): Promise<void>;
  /** Removes temporary files of interrupted puts older than the given age. Returns how many. */
  removeLeftovers?(olderThanMs: number): Promise<number>;
}
