import type { Clock } from './clock.ts';
import { Pool, type PoolWorker } from './pool.ts';
import { encodeMs, type StageTimes } from './stage-times.ts';

interface Item {
  readonly key: string;
  readonly tokens: number;
}

interface EncodeWorker extends PoolWorker {
  busy: boolean;
}

/**
 * Encoders before one queue. A worker takes queued images, up to a budget of visual tokens; each image
 * is encoded once, however many requests want it, and kept.
 */
export class EncodeStation {
  readonly pool: Pool<EncodeWorker>;
  readonly #clock: Clock;
  readonly #times: StageTimes;
  readonly #batchTokens: number;
  readonly #stored = new Set<string>();
  readonly #wanted = new Map<string, (() => void)[]>();
  #queue: Item[] = [];

  constructor(clock: Clock, times: StageTimes, batchTokens: number, startMs: number) {
    this.#clock = clock;
    this.#times = times;
    this.#batchTokens = batchTokens;
    this.pool = new Pool(clock, startMs, newWorker, () => this.#dispatch());
  }

  /** Visual tokens that wait: what the encoders are scaled on. */
  get waitingTokens(): number {
    return this.#queue.reduce((sum, { tokens }) => sum + tokens, 0);
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Calls back when the image's embedding can be loaded, at once when it is stored already. */
  want(key: string, tokens: number, then: () => void): void {
    if (this.#stored.has(key)) return then();
    const waiters = this.#wanted.get(key);
    if (waiters !== undefined) return void waiters.push(then);
    this.#wanted.set(key, [then]);
    this.#queue.push({ key, tokens });
    this.#dispatch();
  }

  #dispatch(): void {
    for (const worker of this.pool.ready) {
      if (this.#queue.length === 0) return;
      if (!worker.busy) this.#encode(worker, this.#batch());
    }
  }

  #batch(): Item[] {
    let tokens = 0;
    const fits = this.#queue.findIndex((item, index) => {
      tokens += item.tokens;
      return index > 0 && tokens > this.#batchTokens;
    });
    return this.#queue.splice(0, fits === -1 ? this.#queue.length : fits);
  }

  #encode(worker: EncodeWorker, batch: readonly Item[]): void {
    worker.busy = true;
    const { preprocessMs, saveMs } = this.#times;
    this.#clock.after(encodeMs(this.#times, batch.length), () => {
      worker.busy = false;
      this.pool.settle();
      this.#dispatch();
    });
    // Saving and preprocessing overlap the next batch, but the image waits for them.
    const durableMs = preprocessMs + encodeMs(this.#times, batch.length) + saveMs;
    this.#clock.after(durableMs, () => batch.forEach(({ key }) => this.#settle(key)));
  }

  #settle(key: string): void {
    const waiters = this.#wanted.get(key) ?? [];
    this.#stored.add(key);
    this.#wanted.delete(key);
    for (const then of waiters) then();
  }
}

function newWorker(): EncodeWorker {
  return {
    busy: false,
    get idle() {
      return !this.busy;
    },
  };
}
