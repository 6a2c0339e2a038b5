import type { Redis } from 'ioredis';
import { RedisLock } from './redis-lock.ts';

export interface ElectedTaskOptions {
  readonly redis: Redis;
  /** Of the lock. */
  readonly key: string;
  readonly intervalMs: number;
  readonly onError: (error: unknown) => void;
}

/**
 * Periodic work by one of the processes that start it: the holder of a lock, which outlasts one or
 * two missed rounds. Rounds of one process never overlap.
 */
export class ElectedTask<Result> {
  readonly #work: () => Promise<Result>;
  readonly #options: ElectedTaskOptions;
  readonly #lock: RedisLock;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: ElectedTaskOptions, work: () => Promise<Result>) {
    this.#options = options;
    this.#work = work;
    this.#lock = new RedisLock({ ...options, ttlMs: 3 * options.intervalMs });
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#tick(), this.#options.intervalMs);
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    await this.#running;
    await this.#lock.free();
  }

  /** Null if another is elected. The lock is renewed for as long as the work takes. */
  async runIfElected(): Promise<Result | null> {
    if (!(await this.#lock.hold())) return null;
    const { intervalMs, onError } = this.#options;
    const renewal = setInterval(() => void this.#lock.hold().catch(onError), intervalMs);
    try {
      return await this.#work();
    } finally {
      clearInterval(renewal);
    }
  }

  #tick(): void {
    this.#running = this.#running
      .then(() => this.runIfElected())
      .catch((error: unknown) => this.#options.onError(error));
  }
}
