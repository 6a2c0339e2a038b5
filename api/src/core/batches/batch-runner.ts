import { randomBytes } from 'node:crypto';
import type { BatchStepper } from './batch-stepper.ts';
import type { BatchStore } from './batch-store.ts';

const STEP_MS = 250;
/** Longer than any step; after that another process takes a dead one's batches over. */
const LOCK_MS = 60_000;

/** Keeps the batches moving; each is moved by one process at a time. */
export class BatchRunner {
  readonly #batches: BatchStore;
  readonly #stepper: BatchStepper;
  readonly #onError: (error: unknown) => void;
  readonly #owner = randomBytes(8).toString('hex');
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> | null = null;

  constructor(batches: BatchStore, stepper: BatchStepper, onError: (error: unknown) => void) {
    this.#batches = batches;
    this.#stepper = stepper;
    this.#onError = onError;
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      this.#round ??= this.#runOnce()
        .catch(this.#onError)
        .finally(() => {
          this.#round = null;
        });
    }, STEP_MS);
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#round;
  }

  async #runOnce(): Promise<void> {
    const own = new Set<string>();
    for (const id of await this.#batches.active()) {
      if (!(await this.#batches.lock(id, this.#owner, LOCK_MS))) continue;
      own.add(id);
      const batch = await this.#batches.get(id);
      if (batch === null) await this.#batches.retire(id);
      else await this.#stepper.step(batch).catch(this.#onError);
    }
    this.#stepper.keepOnly(own);
  }
}
