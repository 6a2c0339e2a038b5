import type { JobEvent } from '@epd/jobs';
import type { WritePace } from './write-pace.ts';

type Append = (events: readonly JobEvent[]) => Promise<boolean>;

/**
 * Writes one job's events in order, one write at a time, on the beats of the pace. The first tokens, and
 * those after a pause, are written at once, with the stages that wait for a beat. Events added in one turn
 * of the event loop share one write; events added during a write go into the next, so that a slow Redis
 * makes writes larger, not later. Adjacent token events of one answer are merged. After a write that was
 * refused (the claim is void) or failed, nothing more is written.
 */
export class EventWriter {
  readonly #append: Append;
  readonly #pace: Pick<WritePace, 'gapMs' | 'beat'>;
  readonly #onRefused: () => void;
  readonly #onError: (error: unknown) => void;
  #pending: JobEvent[] = [];
  #writing: Promise<void> | null = null;
  #refused = false;
  #lastTokensMs = -Infinity;
  #closed = false;
  #endGap: () => void = () => undefined;

  constructor(
    append: Append,
    pace: Pick<WritePace, 'gapMs' | 'beat'>,
    onRefused: () => void,
    onError: (error: unknown) => void,
  ) {
    this.#append = append;
    this.#pace = pace;
    this.#onRefused = onRefused;
    this.#onError = onError;
  }

  get refused(): boolean {
    return this.#refused;
  }

  add(event: JobEvent): void {
    if (this.#refused || this.#closed) return;
    const onlyStages = !this.#pending.some(isTokens);
    addMerged(this.#pending, event);
    // Tokens that wait already are written at the beat, with those of other answers.
    if (onlyStages && this.#isDue()) this.#endGap();
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
        if (!this.#isDue() && !this.#closed) await this.#gap();
        if (this.#closed) return;
        const events = this.#pending;
        this.#pending = [];
        if (events.some(isTokens)) this.#lastTokensMs = performance.now();
        if (!(await this.#append(events))) this.#refuse();
      }
    } finally {
      this.#writing = null;
    }
  }

  /** Whether a reader waits for what is pending. */
  #isDue(): boolean {
    const isEarly = performance.now() < this.#lastTokensMs + this.#pace.gapMs;
    return !isEarly && this.#pending.some(isTokens);
  }

  #gap(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#endGap = resolve;
    void this.#pace.beat().then(resolve);
    return promise;
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

const isTokens = ({ type }: JobEvent): boolean => type === 'tokens';

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
