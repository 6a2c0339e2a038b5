import { Worker } from 'node:worker_threads';
import { Semaphore } from '@epd/connector';
import type { Constraint } from '@epd/constraint';
import type { FromValidation, ToValidation } from './validation-thread.ts';

/** What a check has found: the validation error or null, or why there is none. */
export type Checked = { readonly fault: string | null } | { readonly unchecked: string };

/**
 * Validates answers, one after the other, in a thread of the lane's own.
 *
 * no thread → starting → ready ⇄ checking; a check over the limit, or an error, ends the thread, and the next
 * check starts another. At most one check is `#current`; what an ended thread still says is not heard.
 */
export class ValidationLane {
  readonly #limitMs: number;
  readonly #turns = new Semaphore(1);
  #thread: Worker | null = null;
  #ready: Promise<void> = Promise.resolve();
  #current: PromiseWithResolvers<Checked> | null = null;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** The time counts from when the thread takes it up, not from when it was queued. */
  check(constraint: Constraint, text: string): Promise<Checked> {
    return this.#turns.run(() => this.#check({ constraint, text }));
  }

  async close(): Promise<void> {
    await this.#thread?.terminate();
  }

  async #check(asked: ToValidation): Promise<Checked> {
    const thread = (this.#thread ??= this.#start());
    const current = Promise.withResolvers<Checked>();
    this.#current = current;
    await Promise.race([this.#ready, current.promise]);
    const timer = setTimeout(() => this.#end(thread, 'its validation timed out'), this.#limitMs);
    thread.postMessage(asked, []);
    try {
      return await current.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  #start(): Worker {
    const thread = new Worker(new URL('validation-thread.ts', import.meta.url));
    const ready = Promise.withResolvers<void>();
    this.#ready = ready.promise;
    // The thread does not keep the process alive.
    thread.unref();
    thread.on('message', (said: FromValidation) => {
      if (this.#thread !== thread) return;
      if (said.type === 'ready') ready.resolve();
      else this.#current?.resolve({ fault: said.fault });
    });
    thread.once('error', (error) => this.#end(thread, String(error)));
    thread.once('exit', () => this.#end(thread, 'its validation thread exited early'));
    return thread;
  }

  #end(thread: Worker, unchecked: string): void {
    if (this.#thread !== thread) return;
    this.#thread = null;
    void thread.terminate();
    this.#current?.resolve({ unchecked });
  }
}
