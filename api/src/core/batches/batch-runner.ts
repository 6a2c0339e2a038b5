import type { BatchLocks } from './batch-locks.ts';
import { isTerminal, type Batch, type BatchProblem } from './batch-record.ts';
import type { BatchStepper } from './batch-stepper.ts';
import type { BatchStore } from './batch-store.ts';

/** After that another process takes a dead one's batches over. */
export const BATCH_LOCK_MS = 60_000;
const RENEW_MS = BATCH_LOCK_MS / 3;
const ROUND_MS = 250;
/** Steps under way at once: each has a window of jobs, and may fetch their pictures. */
const STEPS = 16;
/** Those of one tenant, so that slow steps of its batches do not keep others' waiting. */
const STEPS_OF_TENANT = 4;
/** Processes that may die while they run a batch before the batch counts as the cause. */
const MAX_ATTEMPTS = 4;

const POISONED: BatchProblem = {
  code: 'batch_not_workable',
  message: `${MAX_ATTEMPTS} processes crashed while they worked on this batch`,
  line: null,
  param: null,
};

interface RunnerParts {
  readonly batches: BatchStore;
  readonly locks: BatchLocks;
  readonly stepper: Pick<BatchStepper, 'step' | 'keepOnly'>;
  readonly onError: (error: unknown) => void;
  /** How often locks are renewed. @default a third of their time to live */
  readonly renewMs?: number;
}

/** A batch whose lock this process has. */
interface Owned {
  readonly tenant: string;
  readonly takenAt: number;
  /** When its last step began. */
  steppedAt: number;
  /** The step that is under way. */
  step: Promise<void> | null;
  /** This process has not been seen to work at it for as long as a lock lasts. */
  onTrial: boolean;
}

/**
 * Keeps the batches moving; each is moved by one process at a time, which moves several of them at once. A process
 * that takes a batch counts itself, and takes that back once it has worked at it for as long as a lock lasts, or
 * stops gracefully: what remains counts the processes that died with the batch.
 *
 * Invariants: a batch has one step under way at most; all locks are renewed together, whatever steps take; a batch
 * stays owned while its step is under way.
 */
export class BatchRunner {
  readonly #parts: RunnerParts;
  readonly #owned = new Map<string, Owned>();
  #timers: NodeJS.Timeout[] = [];
  #round: Promise<void> | null = null;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
  }

  start(): void {
    if (this.#timers.length > 0) return;
    const { renewMs = RENEW_MS, locks, onError } = this.#parts;
    const look = (): void => {
      this.#round ??= this.#look()
        .catch(onError)
        .finally(() => {
          this.#round = null;
        });
    };
    const renew = (): void => void locks.renew([...this.#owned.keys()]).catch(onError);
    this.#timers = [setInterval(look, ROUND_MS), setInterval(renew, renewMs)];
  }

  /** Lets the steps end, and leaves the batches to others. */
  async stop(): Promise<void> {
    const [looking, renewing] = this.#timers;
    clearInterval(looking);
    await this.#round;
    const steps = [...this.#owned.values()].flatMap(({ step }) => step ?? []);
    await Promise.all(steps);
    clearInterval(renewing);
    this.#timers = [];
    for (const id of this.#owned.keys()) await this.#leave(id).catch(this.#parts.onError);
    this.#owned.clear();
  }

  async #leave(id: string): Promise<void> {
    const { locks } = this.#parts;
    if (this.#owned.get(id)?.onTrial === true) await locks.works(id);
    await locks.release(id);
  }

  async #look(): Promise<void> {
    const active = await this.#parts.batches.active();
    const resting = [...this.#owned].filter(([, { step }]) => step === null).map(([id]) => id);
    const known = new Set(active);
    for (const id of resting) if (!known.has(id)) this.#owned.delete(id);
    for (const id of this.#inTurn(active)) await this.#begin(id);
    this.#parts.stepper.keepOnly(new Set(this.#owned.keys()));
  }

  /** Those without a step under way; first the ones whose last step is longest ago. */
  #inTurn(ids: readonly string[]): string[] {
    const lastAt = (id: string): number => this.#owned.get(id)?.steppedAt ?? 0;
    const waiting = ids.filter((id) => !this.#owned.get(id)?.step);
    return waiting.toSorted((a, b) => lastAt(a) - lastAt(b));
  }

  /** Takes a batch whose turn it is, and begins a step of it. One for which there is no room is left to others. */
  async #begin(id: string): Promise<void> {
    const { batches, locks } = this.#parts;
    const batch = await batches.get(id);
    if (batch === null) {
      this.#owned.delete(id);
      return batches.forget(id);
    }
    if (!this.#hasRoomFor(batch.tenant)) return;
    const attempt = await locks.take(id);
    if (attempt === 0) {
      this.#owned.delete(id);
      return;
    }
    const owned = this.#own(batch);
    owned.steppedAt = performance.now();
    owned.step = this.#work(batch, attempt)
      .catch(this.#parts.onError)
      .finally(() => {
        owned.step = null;
      });
  }

  #hasRoomFor(tenant: string): boolean {
    const stepping = [...this.#owned.values()].filter(({ step }) => step !== null);
    const own = stepping.filter((owned) => owned.tenant === tenant);
    return stepping.length < STEPS && own.length < STEPS_OF_TENANT;
  }

  #own({ id, tenant }: Batch): Owned {
    const known = this.#owned.get(id);
    if (known !== undefined) return known;
    const takenAt = performance.now();
    const owned: Owned = { tenant, takenAt, steppedAt: takenAt, step: null, onTrial: true };
    this.#owned.set(id, owned);
    return owned;
  }

  async #work(batch: Batch, attempt: number): Promise<void> {
    if (attempt > MAX_ATTEMPTS) return this.#giveUp(batch);
    await this.#parts.stepper.step(batch);
    const owned = this.#owned.get(batch.id);
    if (!owned?.onTrial || performance.now() - owned.takenAt < BATCH_LOCK_MS) return;
    owned.onTrial = false;
    await this.#parts.locks.works(batch.id);
  }

  /** Its running requests end by themselves; its file is not read again. */
  async #giveUp(batch: Batch): Promise<void> {
    const { batches } = this.#parts;
    const { id } = batch;
    if (!isTerminal(batch)) {
      await batches.setProblems(id, [POISONED]);
      await batches.enter(id, 'failed', 'validating', 'in_progress', 'cancelling', 'finalizing');
    }
    await batches.retire(batch);
  }
}
