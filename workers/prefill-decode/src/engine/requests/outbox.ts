import type { EngineEvent, EngineListener } from './request.ts';

/** Buffers events until the runner computes the next step, so that listeners do not delay it. */
export class Outbox {
  readonly #listeners = new Set<EngineListener>();
  readonly #onError: (error: unknown) => void;
  #events: EngineEvent[] = [];

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  on(listener: EngineListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  add(...events: readonly EngineEvent[]): void {
    this.#events.push(...events);
  }

  flush(): void {
    const events = this.#events;
    this.#events = [];
    for (const event of events) for (const listener of this.#listeners) this.#tell(listener, event);
  }

  /** A listener that throws must not affect the others. */
  #tell(listener: EngineListener, event: EngineEvent): void {
    try {
      listener(event);
    } catch (error) {
      this.#onError(error);
    }
  }
}
