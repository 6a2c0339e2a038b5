import { createHash } from 'node:crypto';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { ObjectTooLargeError, StoreUnavailableError } from '../errors.ts';
import { bytesOf, joined, type ObjectBody } from './object-body.ts';
import type {
  ByteRange,
  GetOptions,
  ListedObject,
  ObjectStat,
  ObjectStore,
  PutOptions,
  PutResult,
} from './object-store.ts';
import { Lazy } from '../lazy.ts';
import { Semaphore } from '../semaphore.ts';
import { readBody } from './s3-body.ts';
import { PLACEHOLDER, sendInParts } from './s3-parts.ts';
import { createS3Client, type S3ClientConfig } from './s3-client.ts';
import { nameOf, statusOf } from './s3-errors.ts';
import { assertObject, isAbsence, listedObject, statOf, unquote } from './s3-replies.ts';
import { assertStoreKey, assertStorePrefix, isStoreKey } from './store-key.ts';

export interface S3StoreOptions extends S3ClientConfig {
  readonly bucket: string;
  /** Prefix of every key, followed by a `/`. @default none */
  readonly keyPrefix?: string;
  /** A client to use instead of one created from the settings; the store then does not close it. */
  readonly client?: S3Client;
}

/** Outcome of a create-only put. */
type Conditional = 'created' | 'present' | 'not_honoured';

/**
 * Maximum concurrent requests; the others are queued here. The SDK allows 50 connections, and
 * counts the queue time of further requests as time in which the server did not respond.
 */
const REQUESTS_MAX = 40;

/** Below this size, copying the parts into one buffer is faster than streaming them. */
const MIN_PARTED_BYTES = 2 ** 19;

/**
 * Objects in an S3-compatible bucket. Bodies are sent as buffers of known length: chunked trailers
 * break several servers. S3 guarantees that a put is atomic and durable.
 */
export class S3Store implements ObjectStore {
  readonly bucket: string;
  readonly #client: S3Client;
  readonly #ownsClient: boolean;
  readonly #keyPrefix: string;
  /** Signing needs the payload in one piece. */
  readonly #sendsParts: boolean;
  readonly #slots = new Semaphore(REQUESTS_MAX);
  /** Whether the server honours `If-None-Match: *`; probed once, at the first put that needs it. */
  readonly #conditionalPuts = new Lazy(() => this.#probeConditions());

  constructor(options: S3StoreOptions) {
    this.bucket = options.bucket;
    this.#client = options.client ?? createS3Client(options);
    this.#ownsClient = options.client === undefined;
    this.#sendsParts = this.#ownsClient && !options.signPayload;
    this.#keyPrefix = options.keyPrefix ? `${options.keyPrefix}/` : '';
    if (options.keyPrefix) assertStoreKey(options.keyPrefix);
  }

  /** Creates the bucket unless it exists. */
  async ensureBucket(): Promise<void> {
    const target = { Bucket: this.bucket };
    try {
      await this.#client.send(new HeadBucketCommand(target));
    } catch (error) {
      if (statusOf(error) !== 404) throw this.#unavailable('looking up the bucket', error);
      await this.#createBucket();
    }
  }

  async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<PutResult> {
    assertStoreKey(key);
    if (!options.onlyIfAbsent) return { etag: await this.#putObject(key, body), created: true };
    if (await this.honoursConditions()) return this.#putIfAbsent(key, body);
    const present = await this.stat(key);
    if (present) return { etag: present.etag, created: false };
    return { etag: await this.#putObject(key, body), created: true };
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array | null> {
    assertStoreKey(key);
    options.signal?.throwIfAborted();
    try {
      return await this.#slots.run(() => this.#read(key, options));
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof ObjectTooLargeError) throw error;
      if (isAbsence(error)) return null;
      throw this.#unavailable(`reading ${key}`, error);
    }
  }

  async getRange(key: string, { start, bytes }: ByteRange): Promise<Uint8Array | null> {
    assertStoreKey(key);
    const range = { Range: `bytes=${start}-${start + bytes - 1}` };
    try {
      const command = new GetObjectCommand({ ...this.#target(key), ...range });
      return await this.#slots.run(async () => {
        const reply = await this.#client.send(command);
        assertObject(reply);
        return readBody(reply, key, { maxBytes: bytes });
      });
    } catch (error) {
      if (statusOf(error) === 416) return new Uint8Array(); // past the end
      if (isAbsence(error)) return null;
      throw this.#unavailable(`reading ${key}`, error);
    }
  }

  async stat(key: string): Promise<ObjectStat | null> {
    assertStoreKey(key);
    try {
      const reply = await this.#slots.run(() =>
        this.#client.send(new HeadObjectCommand(this.#target(key))),
      );
      assertObject(reply);
      return statOf(reply);
    } catch (error) {
      if (isAbsence(error)) return null;
      throw this.#unavailable(`looking for ${key}`, error);
    }
  }

  async delete(key: string): Promise<void> {
    assertStoreKey(key);
    try {
      await this.#slots.run(() => this.#client.send(new DeleteObjectCommand(this.#target(key))));
    } catch (error) {
      if (!isAbsence(error)) throw this.#unavailable(`deleting ${key}`, error);
    }
  }

  async *list(prefix: string): AsyncIterable<ListedObject> {
    assertStorePrefix(prefix);
    let token: string | undefined;
    do {
      const page = await this.#listPage(prefix, token);
      for (const object of page.Contents ?? []) {
        const key = object.Key?.slice(this.#keyPrefix.length) ?? '';
        if (isStoreKey(key)) yield listedObject(key, object);
      }
      token = page.NextContinuationToken;
    } while (token);
  }

  async ping(): Promise<void> {
    try {
      await this.#client.send(new HeadBucketCommand({ Bucket: this.bucket }));
    } catch (error) {
      const what = statusOf(error) === 404 ? 'it does not exist' : nameOf(error);
      throw new StoreUnavailableError('s3', `bucket ${this.bucket}: ${what}`, { cause: error });
    }
  }

  async close(): Promise<void> {
    if (this.#ownsClient) this.#client.destroy();
  }

  /**
   * Whether the server honours `If-None-Match` on puts; probed once. Without it, a put checks for
   * the object first.
   */
  honoursConditions(): Promise<boolean> {
    return this.#conditionalPuts.get();
  }

  async #read(key: string, options: GetOptions): Promise<Uint8Array> {
    options.signal?.throwIfAborted();
    const reply = await this.#client.send(
      new GetObjectCommand(this.#target(key)),
      options.signal ? { abortSignal: options.signal } : {},
    );
    assertObject(reply);
    return readBody(reply, key, options);
  }

  async #putIfAbsent(key: string, body: ObjectBody): Promise<PutResult> {
    const outcome = await this.#putConditionally(key, body);
    if (outcome.result === 'created') return { etag: outcome.etag, created: true };
    const present = await this.stat(key);
    if (present) return { etag: present.etag, created: false };
    // Deleted since the conflict.
    return { etag: await this.#putObject(key, body), created: true };
  }

  async #putConditionally(
    key: string,
    body: ObjectBody,
  ): Promise<{ result: Conditional; etag: string }> {
    try {
      const etag = await this.#send(key, body, { IfNoneMatch: '*' });
      return { result: 'created', etag };
    } catch (error) {
      // 409: another put of the same key is in progress, which is as good as present.
      if (statusOf(error) === 412 || statusOf(error) === 409)
        return { result: 'present', etag: '' };
      if (statusOf(error) === 501 || statusOf(error) === 400) {
        return { result: 'not_honoured', etag: '' };
      }
      throw this.#unavailable(`writing ${key}`, error);
    }
  }

  async #putObject(key: string, body: ObjectBody): Promise<string> {
    try {
      return await this.#send(key, body, {});
    } catch (error) {
      throw this.#unavailable(`writing ${key}`, error);
    }
  }

  async #send(key: string, body: ObjectBody, condition: { IfNoneMatch?: '*' }): Promise<string> {
    const bytes = bytesOf(body);
    const inParts = this.#sendsParts && bytes >= MIN_PARTED_BYTES;
    const command = new PutObjectCommand({
      ...this.#target(key),
      ...condition,
      Body: inParts ? PLACEHOLDER : joined(body),
      ContentLength: bytes,
    });
    if (inParts) sendInParts(command, body);
    const reply = await this.#slots.run(() => this.#client.send(command));
    return unquote(reply.ETag ?? (await this.#storedAs(key)));
  }

  /** A response without an ETag may be a 200 from another server: then nothing is stored. */
  async #storedAs(key: string): Promise<string> {
    const stat = await this.stat(key);
    if (stat === null) throw new Error('The server accepted the object but does not have it');
    return stat.etag;
  }

  /** Some servers reject the condition, others ignore it: only a second put shows which. */
  async #probeConditions(): Promise<boolean> {
    const key = `probe/if-none-match-${createHash('sha256').update(String(process.hrtime.bigint())).digest('hex')}`;
    const first = await this.#putConditionally(key, new Uint8Array([1]));
    const second =
      first.result === 'created' && (await this.#putConditionally(key, new Uint8Array([2])));
    await this.delete(key).catch(() => {});
    return second && second.result === 'present';
  }

  async #createBucket(): Promise<void> {
    try {
      await this.#client.send(new CreateBucketCommand({ Bucket: this.bucket }));
    } catch (error) {
      const raced =
        nameOf(error) === 'BucketAlreadyOwnedByYou' || nameOf(error) === 'BucketAlreadyExists';
      if (!raced) throw this.#unavailable('creating the bucket', error);
    }
  }

  async #listPage(prefix: string, token: string | undefined) {
    try {
      const command = new ListObjectsV2Command({
        Bucket: this.bucket,
        Prefix: this.#keyPrefix + prefix,
        ContinuationToken: token,
      });
      return await this.#slots.run(() => this.#client.send(command));
    } catch (error) {
      throw this.#unavailable(`listing ${prefix}`, error);
    }
  }

  #target(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.bucket, Key: this.#keyPrefix + key };
  }

  #unavailable(what: string, cause: unknown): StoreUnavailableError {
    return new StoreUnavailableError('s3', `${what}: ${nameOf(cause)}`, { cause });
  }
}
