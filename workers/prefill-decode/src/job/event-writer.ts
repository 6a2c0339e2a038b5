import type { JobEvent } from '@epd/jobs';

type Append = (events: readonly JobEvent[]) => Promise<boolean>;

/**
 * Nobody reads faster than this, and a batch of fast answers would otherwise cost this process and
 * Redis one write per token. The first tokens, and those after a pause, are written at once.
 */
const WRITE_GAP_MS = 15;

/**
 * Writes one job's events in order, one write at a time, and tokens with a small gap in between.
 * Events added in one turn of the event loop share one write; events added during a write go into
 * the next, so that a slow Redis makes writes larger, not later. Adjacent token events of one
 * answer are merged. After a write that was refused (the claim is void) or failed, nothing more is
 * written.
 */
export class EventWriter {
  readonly #append: Append;
  readonly #onRefused: () => void;
  readonly #onError: (error: unknown) => void;
  #pending: JobEvent[] = [];
  #writing: Promise<void> | null = null;
  #refused = false;
  #lastTokensMs = -Infinity;
  #closed = false;
  #endGap: () => void = () => undefined;

  constructor(append: Append, onRefused: () => void, onError: (error: unknown) => void) {
    this.#append = append;
    this.#onRefused = onRefused;
    this.#onError = onError;
  }

  get refused(): boolean {
    return this.#refused;
  }

  add(event: JobEvent): void {
    if (this.#refused || this.#closed) return;
    addMerged(this.#pending, event);
    this.#writing ??= this.#drain().catch((error: unknown) => this.#fail(error));
  }

  /**
   * Stops writing and returns the events that were not written yet, so that the terminal transition
   * includes them. Waits for a write in flight, never for a gap.
   */
  async close(): Promise<readonly JobEvent[]> {
    this.#closed = true;
    this.#endGap();
    await this.#writing;
    const rest = this.#pending;
    this.#pending = [];
    return rest;
  }

  async #drain(): Promise<void> {
    try {
      await Promise.resolve(); // the engine emits several events at a time
      while (this.#pending.length > 0 && !this.#refused) {
        const restMs = this.#lastTokensMs + WRITE_GAP_MS - performance.now();
        if (restMs > 0 && !this.#closed) await this.#gap(restMs);
        if (this.#closed) return;
        const events = this.#pending;
        this.#pending = [];
        if (events.some(({ type }) => type === 'tokens')) this.#lastTokensMs = performance.now();
        if (!(await this.#append(events))) this.#refuse();
      }
    } finally {
      this.#writing = null;
    }
  }

  #gap(restMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, restMs);
      this.#endGap = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #refuse(): void {
    this.#stop();
    this.#onRefused();
  }

  /** An earlier event is missing: no later one may be written. */
  #fail(error: unknown): void {
    this.#stop();
    this.#onError(error);
  }

  #stop(): void {
    this.#refused = true;
    this.#pending = [];
  }
}

function addMerged(pending: JobEvent[], event: JobEvent): void {
  const last = pending.at(-1);
  if (event.type !== 'tokens' || last?.type !== 'tokens' || last.choice !== event.choice) {
    pending.push(event);
    return;
  }
  const deltas = event.deltas && { deltas: [...(last.deltas ?? []), ...event.deltas] };
  const logprobs = event.logprobs && { logprobs: [...(last.logprobs ?? []), ...event.logprobs] };
  pending[pending.length - 1] = {
    ...last,
    ids: [...last.ids, ...event.ids],
    text: last.text + event.text,
    ...deltas,
    ...logprobs,
  };
}
