import { setTimeout as sleep } from 'node:timers/promises';
import {
  completionStreamKey,
  parseCompletionEvent,
  redisScript,
  type CompletionEvent,
} from '@epd/connector';
import { noticeStreamKey, parseNotice, type Notice } from '@epd/image-index';
import type { Redis } from 'ioredis';

/** How long a read waits for the first message; also how soon a stop or a lost election is noticed. */
const BLOCK_MS = 1_000;
/** After the first message, others are waited for so long: a write costs the same for one row and for a hundred. */
const GATHER_MS = 150;
/** So long while they keep coming: at 25 images a second a write in 150 ms each took a fifth of the fleet's CPU. */
const GATHER_BUSY_MS = 2_000;
/** Most messages of each stream in one batch: bounds memory, and what is repeated after a crash. */
const MOST = 500;

/** Where both streams have been read to. */
export interface Cursor {
  readonly completions: string;
  readonly notices: string;
}

export interface Batch {
  readonly events: readonly { readonly event: CompletionEvent; readonly atMs: number }[];
  readonly notices: readonly {
    readonly notice: Notice;
    readonly id: string;
    readonly atMs: number;
  }[];
  readonly to: Cursor;
}

const BEGINNING: Cursor = { completions: '0-0', notices: '0-0' };

/** KEYS cursor notices lock; ARGV completions, notices, lock's token. 0: another writer is elected. */
const commitScript = redisScript(`
if redis.call('GET', KEYS[3]) ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], 'completions', ARGV[1], 'notices', ARGV[2])
redis.call('XTRIM', KEYS[2], 'MINID', ARGV[2])
return 1`);

export interface FeedOptions {
  /** A connection is duplicated from it, for reading blocks. */
  readonly redis: Redis;
  readonly prefix: string;
  readonly lock: { readonly key: string; readonly token: string };
  readonly onError: (error: unknown) => void;
}

/**
 * Messages to the index, in batches: completion events and the API's notices. `commit` says that a batch
 * is in the index; whatever was not committed is read again, by this process or the next.
 */
export class Feed {
  readonly #options: FeedOptions;
  readonly #reader: Redis;
  #at: Cursor | null = null;
  #gatheredAtMs = -Infinity;
  readonly #stopped = new AbortController();

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#reader = options.redis.duplicate({
      socketTimeout: 10 * BLOCK_MS,
      commandTimeout: undefined,
    });
    this.#reader.on('error', options.onError);
  }

  /** From here on reading resumes at what was committed last. */
  rewind(): void {
    this.#at = null;
  }

  /** Null: there was nothing for a while. */
  async next(): Promise<Batch | null> {
    this.#at ??= await this.#committed();
    const first = await this.#read(this.#at, { block: true });
    if (first.events.length + first.notices.length === 0) return null;
    await this.#gather();
    const second = await this.#read(first.to, { block: false });
    this.#at = second.to;
    return {
      events: [...first.events, ...second.events],
      notices: [...first.notices, ...second.notices],
      to: second.to,
    };
  }

  /** The first image after a pause is found at once; those of a burst are written together. */
  async #gather(): Promise<void> {
    const busy = performance.now() - this.#gatheredAtMs < GATHER_BUSY_MS;
    await sleep(busy ? GATHER_BUSY_MS : GATHER_MS, undefined, {
      signal: this.#stopped.signal,
    }).catch(() => undefined);
    this.#gatheredAtMs = performance.now();
  }

  /** False: another writer is elected, and resumes from this one's last commit. */
  async commit({ completions, notices }: Cursor): Promise<boolean> {
    const { redis, prefix, lock } = this.#options;
    const keys = [cursorKey(prefix), noticeStreamKey(prefix), lock.key];
    return (await commitScript(redis, keys, [completions, notices, lock.token])) === 1;
  }

  /** Nothing is gathered any more: the process is to end. */
  hurry(): void {
    this.#stopped.abort();
  }

  stop(): void {
    this.#reader.disconnect();
  }

  async #committed(): Promise<Cursor> {
    const stored = await this.#options.redis.hgetall(cursorKey(this.#options.prefix));
    return { ...BEGINNING, ...stored };
  }

  async #read(from: Cursor, { block }: { readonly block: boolean }): Promise<Batch> {
    const { prefix } = this.#options;
    const [completions, notices] = [completionStreamKey(prefix), noticeStreamKey(prefix)];
    const streams = [completions, notices, from.completions, from.notices] as const;
    const reply = block
      ? await this.#reader.xread('COUNT', MOST, 'BLOCK', BLOCK_MS, 'STREAMS', ...streams)
      : await this.#reader.xread('COUNT', MOST, 'STREAMS', ...streams);
    const entries = new Map(reply ?? []);
    const [told, noticed] = [entries.get(completions) ?? [], entries.get(notices) ?? []];
    return {
      events: told.flatMap(([id, fields]) => {
        const event = parseCompletionEvent(fieldOf(fields, 'event'));
        return typeof event === 'string' ? [] : [{ event, atMs: timeOf(id) }];
      }),
      notices: noticed.flatMap(([id, fields]) => {
        const notice = parseNotice(fieldOf(fields, 'notice'));
        return notice === null ? [] : [{ notice, id, atMs: timeOf(id) }];
      }),
      to: {
        completions: told.at(-1)?.[0] ?? from.completions,
        notices: noticed.at(-1)?.[0] ?? from.notices,
      },
    };
  }
}

const cursorKey = (prefix: string): string => `${prefix}:index:cursor`;

const fieldOf = (fields: readonly string[], name: string): string =>
  fields[fields.indexOf(name) + 1] ?? '';

const timeOf = (id: string): number => Number(id.split('-')[0]);

/** The id right before one in a stream: reading from it begins with the one. */
export function idBefore(id: string): string {
  const [ms = '0', sequence = '0'] = id.split('-');
  if (sequence !== '0') return `${ms}-${BigInt(sequence) - 1n}`;
  return ms === '0' ? '0-0' : `${Number(ms) - 1}-18446744073709551615`;
}
