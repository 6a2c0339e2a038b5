import { Worker } from 'node:worker_threads';
import { Semaphore } from '@epd/connector';
import type { Constraint } from '@epd/constraint';
import type { FromValidation, ToValidation } from './validation-thread.ts';

/** Far above what any honest check takes. */
const CHECK_MS = 10_000;

const ENDED = 'its check has ended early';

type Waiting = PromiseWithResolvers<string | null>;

/**
 * Checks constrained answers in a thread of its own, before they are called completed. The thread is
 * started for the first answer, and again after one took too long.
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

  /** What is wrong with the answer; null: nothing. One at a time: a check that never ends fails no other. */
  faultOf(constraint: Constraint, text: string): Promise<string | null> {
    return this.#turns.run(() => this.#check(constraint, text));
  }

  async #check(constraint: Constraint, text: string): Promise<string | null> {
    const worker = (this.#worker ??= this.#start());
    await this.#ready;
    if (this.#worker !== worker) return ENDED;
    const waiting = Promise.withResolvers<string | null>();
    this.#waiting = waiting;
    const timer = setTimeout(() => this.#kill(worker, 'it took too long to check'), this.#limitMs);
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
    // Nothing waits for it at the end of the process.
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
