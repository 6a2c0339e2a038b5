import { CompletionReader, type CompletionEvent } from '@epd/connector';
import type { Redis } from 'ioredis';

/** Reads and deletes all entries of the stream, so that no process reads them later. */
const TAKE_AWAY = `
local entries = redis.call('XRANGE', KEYS[1], '-', '+')
redis.call('XTRIM', KEYS[1], 'MAXLEN', 0)
return entries`;

/** How often each image was encoded, from the completion events, also from those that are made to vanish. */
export class EncodeLog {
  readonly #events = new Map<string, CompletionEvent>();
  readonly #reader: CompletionReader;

  constructor(redis: Redis, prefix: string) {
    this.#reader = new CompletionReader({ redis, prefix, from: '0-0' });
    this.#reader.subscribe((event, id) => this.#events.set(id, event));
  }

  start(): Promise<void> {
    return this.#reader.start();
  }

  stop(): Promise<void> {
    return this.#reader.stop();
  }

  /** Returns how many were certainly unread. */
  async takeAway(redis: Redis, stream: string): Promise<number> {
    const entries = (await redis.eval(TAKE_AWAY, 1, stream)) as [string, string[]][];
    for (const [id, fields] of entries)
      this.#events.set(id, JSON.parse(fields[1] ?? 'null') as CompletionEvent);
    return entries.length;
  }

  /** Runs of the vision encoder by image; stored embeddings do not count. */
  get encodes(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const event of this.#events.values()) {
      if (event.outcome !== 'stored') continue;
      const encoded = event.timings.batch > 0 ? 1 : 0;
      counts.set(event.mmHash, (counts.get(event.mmHash) ?? 0) + encoded);
    }
    return counts;
  }
}
