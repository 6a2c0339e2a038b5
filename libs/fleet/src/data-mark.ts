import { randomUUID } from 'node:crypto';
import { redisScript } from '@epd/connector';
import type { Redis } from 'ioredis';

/** A data loss is noticed within this time; as often as workers renew their leases. */
const LOOK_MS = 3_000;

/** KEYS mark; ARGV a new one. Returns the existing mark, or the new one if there was none. */
const markScript = redisScript(`
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])`);

interface DataMarkOptions {
  readonly redis: Redis;
  readonly prefix: string;
  /**
   * Called when Redis no longer has the mark that this process knew: Redis was emptied, replaced,
   * or evicted it.
   */
  readonly onLoss: () => void;
  /** Redis was unreachable; the check is repeated. */
  readonly onError: (error: unknown) => void;
}

/**
 * A mark in Redis by which a process notices that Redis lost data: an empty restart, FLUSHALL, a
 * failover to an empty replica. The first process that misses it writes a new one, and all others
 * notice that it differs.
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
