import type { Redis } from 'ioredis';
import { Compile } from 'typebox/compile';
import { CompletionEvent, MESSAGE_VERSION } from '../messages.ts';
import { NO_METRICS, type ConnectorMetrics } from '../metrics.ts';

/**
 * Approximate number of events kept on the stream: some minutes of a busy fleet. A reader that was
 * disconnected for longer polls.
 */
const MAX_EVENTS = 10_000;
const READ_COUNT = 256;
/** How long one read blocks; also the longest time that a dead connection can hide events. */
const BLOCK_MS = 5000;
const RETRY_MS = 500;

const validator = Compile(CompletionEvent);

export const completionStreamKey = (prefix: string): string => `${prefix}:completions`;

/** Announces stored and failed items. Call it once the embedding is durable. */
export class CompletionPublisher {
  readonly #redis: Redis;
  readonly #stream: string;

  constructor(options: { readonly redis: Redis; readonly prefix: string }) {
    this.#redis = options.redis;
    this.#stream = completionStreamKey(options.prefix);
  }

  /** Returns the event's id. Throws `TypeError` for an event that no reader would accept. */
  async publish(event: CompletionEvent): Promise<string> {
    if (!validator.Check(event)) throw new TypeError('Not a completion event');
    const id = await this.#redis.xadd(
      this.#stream,
      'MAXLEN',
      '~',
      MAX_EVENTS,
      '*',
      'event',
      JSON.stringify(event),
    );
    if (id === null) throw new Error('The completion stream did not accept the event');
    return id;
  }
}

export type CompletionListener = (event: CompletionEvent, id: string) => void;

export interface CompletionReaderOptions {
  /** The reader duplicates this connection, because reading blocks. */
  readonly redis: Redis;
  readonly prefix: string;
  /** Id of the last event seen. @default the newest at `start` */
  readonly from?: string;
  readonly metrics?: ConnectorMetrics;
  /** The connection failed; reading resumes by itself. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Reads the completion stream on its own connection. Counts and skips an event of an unknown
 * version or shape. Events are hints: a process that missed some finds out by polling.
 */
export class CompletionReader {
  readonly #redis: Redis;
  readonly #stream: string;
  readonly #metrics: ConnectorMetrics;
  readonly #onError: (error: unknown) => void;
  readonly #listeners = new Set<CompletionListener>();
  #lastId: string | null;
  #connection: Redis | null = null;
  #reading: Promise<void> = Promise.resolve();
  #stopped = new AbortController();

  constructor(options: CompletionReaderOptions) {
    this.#redis = options.redis;
    this.#stream = completionStreamKey(options.prefix);
    this.#lastId = options.from ?? null;
    this.#metrics = options.metrics ?? NO_METRICS;
    this.#onError = options.onError ?? (() => {});
  }

  /** Id of the last event seen: where another reader may continue. */
  get lastId(): string | null {
    return this.#lastId;
  }

  /** Returns the function that removes the listener. */
  subscribe(listener: CompletionListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Once it resolves, no later event is missed while Redis keeps it. */
  async start(): Promise<void> {
    if (this.#connection) return;
    this.#stopped = new AbortController();
    this.#lastId ??= await this.#newestId();
    const connection = this.#redis.duplicate({
      socketTimeout: 3 * BLOCK_MS,
      maxRetriesPerRequest: null,
      commandTimeout: undefined,
    });
    connection.on('error', this.#onError);
    this.#connection = connection;
    this.#reading = this.#readUntilStopped(connection, this.#stopped.signal);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#connection?.disconnect();
    this.#connection = null;
    await this.#reading;
  }

  async #newestId(): Promise<string> {
    const [newest] = await this.#redis.xrevrange(this.#stream, '+', '-', 'COUNT', 1);
    return newest?.[0] ?? '0-0';
  }

  async #readUntilStopped(connection: Redis, stopped: AbortSignal): Promise<void> {
    while (!stopped.aborted) {
      try {
        await this.#readOnce(connection);
      } catch (error) {
        if (stopped.aborted) return;
        this.#onError(error);
        await pause(RETRY_MS, stopped);
      }
    }
  }

  async #readOnce(connection: Redis): Promise<void> {
    const from = this.#lastId ?? '0-0';
    const reply = await connection.xread(
      'COUNT',
      READ_COUNT,
      'BLOCK',
      BLOCK_MS,
      'STREAMS',
      this.#stream,
      from,
    );
    for (const [, entries] of reply ?? []) {
      for (const [id, fields] of entries) {
        this.#lastId = id;
        this.#deliver(id, fields);
      }
    }
  }

  #deliver(id: string, fields: readonly string[]): void {
    const event = parseCompletionEvent(fields[fields.indexOf('event') + 1] ?? '');
    if (typeof event === 'string') return this.#metrics.eventSkipped(event);
    for (const listener of this.#listeners) listener(event, id);
  }
}

/** The event in a stream entry's `event` field, or why it cannot be used. */
export function parseCompletionEvent(text: string): CompletionEvent | 'version' | 'schema' {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return 'schema';
  }
  if (validator.Check(message)) return message;
  const version = typeof message === 'object' && message !== null && 'v' in message && message.v;
  return version === MESSAGE_VERSION ? 'schema' : 'version';
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
