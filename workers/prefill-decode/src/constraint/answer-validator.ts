import { Worker } from 'node:worker_threads';
import { Semaphore } from '@epd/connector';
import type { Constraint } from '@epd/constraint';
import type { FromValidation, ToValidation } from './validation-thread.ts';

/** Far above what any legitimate check takes. */
const CHECK_MS = 10_000;

const ENDED = 'its validation thread exited early';

type Waiting = PromiseWithResolvers<string | null>;

/**
 * Validates constrained answers in a separate thread before they are reported as completed. The
 * thread starts with the first answer, and restarts after a validation timed out.
 */
export class AnswerValidator {
  readonly #limitMs: number;
  #worker: Worker | null = null;
  #ready: Promise<void> = Promise.resolve();
  readonly #turns = new Semaphore(1);
  #waiting: Waiting | null = null;

  constructor(limitMs: number = CHECK_MS) {
    this.#limitMs = limitMs;
  }

  /** The validation error of the answer; null if it is valid. One at a time: a check that hangs fails no other. */
  faultOf(constraint: Constraint, text: string): Promise<string | null> {
    return this.#turns.run(() => this.#check(constraint, text));
  }

  async #check(constraint: Constraint, text: string): Promise<string | null> {
    const worker = (this.#worker ??= this.#start());
    await this.#ready;
    if (this.#worker !== worker) return ENDED;
    const waiting = Promise.withResolvers<string | null>();
    this.#waiting = waiting;
    const timer = setTimeout(() => this.#kill(worker, 'its validation timed out'), this.#limitMs);
    worker.postMessage({ constraint, text } satisfies ToValidation, []);
    try {
      return await waiting.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL('validation-thread.ts', import.meta.url));
    const ready = Promise.withResolvers<void>();
    this.#ready = ready.promise;
    worker.once('exit', () => ready.resolve());
    // The thread does not keep the process alive.
    worker.unref();
    worker.on('message', (said: FromValidation) => {
      if (said.type === 'ready') ready.resolve();
      else this.#waiting?.resolve(said.fault);
    });
    worker.once('error', (error) => this.#kill(worker, String(error)));
    worker.once('exit', () => this.#kill(worker, ENDED));
    return worker;
  }

  #kill(worker: Worker, fault: string): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    void worker.terminate();
    this.#waiting?.resolve(fault);
  }
}
