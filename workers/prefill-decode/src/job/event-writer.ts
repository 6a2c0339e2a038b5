import { setTimeout as sleep } from 'node:timers/promises';
import type { JobEvent } from '@epd/jobs';

type Append = (events: readonly JobEvent[]) => Promise<boolean>;

/**
 * Nobody reads faster than this, and a batch of fast answers would otherwise keep this process and Redis
 * busy with one write a token. The first event after a pause is written at once.
 */
const WRITE_GAP_MS = 15;

/**
 * Writes one job's events in order, one write at a time and a small gap apart; what is added meanwhile
 * goes with the next write, so that a slow Redis makes writes larger, never later than need be.
 * Neighbouring token events of one answer become one. After a refused write (the claim is void)
 * nothing more is written.
 */
export class EventWriter {
  readonly #append: Append;
  readonly #onRefused: () => void;
  readonly #onError: (error: unknown) => void;
  #pending: JobEvent[] = [];
  #writing: Promise<void> | null = null;
  #refused = false;
  #lastWriteMs = -Infinity;
  #hurry = new AbortController();

  constructor(append: Append, onRefused: () => void, onError: (error: unknown) => void) {
    this.#append = append;
    this.#onRefused = onRefused;
    this.#onError = onError;
  }

  get refused(): boolean {
    return this.#refused;
  }

  add(event: JobEvent): void {
    if (this.#refused) return;
    addMerged(this.#pending, event);
    this.#writing ??= this.#drain().catch(this.#onError);
  }

  /** Resolves when all that was added is written or refused; does not wait for a gap. */
  async flush(): Promise<void> {
    this.#hurry.abort();
    await this.#writing;
  }

  async #drain(): Promise<void> {
    try {
      while (this.#pending.length > 0 && !this.#refused) {
        const restMs = this.#lastWriteMs + WRITE_GAP_MS - performance.now();
        if (restMs > 0) await this.#gap(restMs);
        this.#lastWriteMs = performance.now();
        const events = this.#pending;
        this.#pending = [];
        if (!(await this.#append(events))) this.#refuse();
      }
    } finally {
      this.#writing = null;
    }
  }

  async #gap(restMs: number): Promise<void> {
    const { signal } = this.#hurry;
    await sleep(restMs, undefined, { signal }).catch(() => undefined);
  }

  #refuse(): void {
    this.#refused = true;
    this.#pending = [];
    this.#onRefused();
  }
}

function addMerged(pending: JobEvent[], event: JobEvent): void {
  const last = pending.at(-1);
  if (event.type !== 'tokens' || last?.type !== 'tokens' || last.choice !== event.choice) {
    pending.push(event);
    return;
  }
  const logprobs = event.logprobs && { logprobs: [...(last.logprobs ?? []), ...event.logprobs] };
  pending[pending.length - 1] = {
    ...last,
    ids: [...last.ids, ...event.ids],
    text: last.text + event.text,
    ...logprobs,
  };
}
