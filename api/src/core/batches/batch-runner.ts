import { randomBytes } from 'node:crypto';
import { isTerminal, type Batch, type BatchProblem } from './batch-record.ts';
import type { BatchStepper } from './batch-stepper.ts';
import type { BatchStore } from './batch-store.ts';

const STEP_MS = 250;
/** After that another process takes a dead one's batches over; longer steps renew it. */
const LOCK_MS = 60_000;
const RENEW_MS = LOCK_MS / 3;
/** Processes that may die at a batch before it is taken for what killed them. */
const MAX_ATTEMPTS = 4;

const POISONED: BatchProblem = {
  code: 'batch_not_workable',
  message: `${MAX_ATTEMPTS} processes ended while they worked at this batch`,
  line: null,
  param: null,
};

/**
 * Keeps the batches moving; each is moved by one process at a time. A process that takes a batch counts itself,
 * and takes that back once it has worked at it for as long as a lock lasts, or stops in peace: what is left
 * counts the processes that the batch has ended.
 */
export class BatchRunner {
  readonly #batches: BatchStore;
  readonly #stepper: BatchStepper;
  readonly #onError: (error: unknown) => void;
  readonly #owner = randomBytes(8).toString('hex');
  /** Batches that this process has taken and not yet been seen to work at, by when it took them. */
  readonly #onTrial = new Map<string, number>();
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
    for (const id of this.#onTrial.keys()) await this.#batches.works(id).catch(this.#onError);
    this.#onTrial.clear();
  }

  async #runOnce(): Promise<void> {
    const own = new Set<string>();
    for (const id of await this.#batches.active()) {
      const { attempt, taken } = await this.#batches.lock(id, this.#owner, LOCK_MS);
      if (attempt === 0) continue;
      own.add(id);
      if (taken) this.#onTrial.set(id, performance.now());
      const batch = await this.#batches.get(id);
      if (batch === null) await this.#batches.forget(id);
      else if (attempt > MAX_ATTEMPTS) await this.#giveUp(batch);
      else await this.#step(batch);
    }
    this.#stepper.keepOnly(own);
    for (const id of this.#onTrial.keys()) if (!own.has(id)) this.#onTrial.delete(id);
  }

  async #step(batch: Batch): Promise<void> {
    const renew = (): unknown =>
      this.#batches.lock(batch.id, this.#owner, LOCK_MS).catch(this.#onError);
    const renewal = setInterval(renew, RENEW_MS);
    try {
      await this.#stepper.step(batch);
    } catch (error) {
      this.#onError(error);
    } finally {
      clearInterval(renewal);
    }
    const since = this.#onTrial.get(batch.id);
    if (since === undefined || performance.now() - since < LOCK_MS) return;
    this.#onTrial.delete(batch.id);
    await this.#batches.works(batch.id);
  }

  /** Its requests that are under way end by themselves; nobody looks at its file again. */
  async #giveUp(batch: Batch): Promise<void> {
    const { id } = batch;
    if (!isTerminal(batch)) {
      await this.#batches.setProblems(id, [POISONED]);
      await this.#batches.enter(
        id,
        'failed',
        'validating',
        'in_progress',
        'cancelling',
        'finalizing',
      );
    }
    await this.#batches.retire(batch);
  }
}
