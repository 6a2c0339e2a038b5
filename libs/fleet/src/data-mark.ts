import { randomUUID } from 'node:crypto';
import { redisScript } from '@epd/connector';
import type { Redis } from 'ioredis';

/** A loss is noticed within this time; as often as workers renew what they own. */
const LOOK_MS = 3_000;

/** KEYS mark; ARGV a new one. Returns the mark that is there, which is the new one where there was none. */
const markScript = redisScript(`
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])`);

interface DataMarkOptions {
  readonly redis: Redis;
  readonly prefix: string;
  /** Called when Redis no longer has the mark that this process knew: it was emptied, replaced, or has evicted it. */
  readonly onLoss: () => void;
  /** Redis could not be asked; it is asked again. */
  readonly onError: (error: unknown) => void;
}

/**
 * A mark in Redis by which a process notices that Redis has lost data: an empty restart, FLUSHALL, a failover
 * to an empty replica. Whoever misses it first writes a new one, and all others find that it is not theirs.
 */
export class DataMark {
  readonly #options: DataMarkOptions;
  #known: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: DataMarkOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      this.#looking = this.#looking.then(() => this.look()).catch(this.#options.onError);
    }, LOOK_MS);
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#looking;
  }

  async look(): Promise<void> {
    const { redis, prefix, onLoss } = this.#options;
    const mark = (await markScript(redis, [`${prefix}:mark`], [randomUUID()])) as string;
    const isLoss = this.#known !== null && this.#known !== mark;
    this.#known = mark;
    if (isLoss) onLoss();
  }
}
