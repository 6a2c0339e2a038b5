import type { JobStore } from '@epd/jobs';
import type { Admission } from './admission.ts';

const SWEEP_MS = 10_000;

/** Lets go of what jobs hold as they end, and now and then of what was missed. */
export class AdmissionKeeper {
  readonly #jobs: JobStore;
  readonly #admission: Admission;
  readonly #onError: (error: unknown) => void;
  #unsubscribe: (() => Promise<void>) | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(jobs: JobStore, admission: Admission, onError: (error: unknown) => void) {
    this.#jobs = jobs;
    this.#admission = admission;
    this.#onError = onError;
  }

  async start(): Promise<void> {
    if (this.#timer !== null) return;
    this.#timer = setInterval(() => void this.#admission.sweep().catch(this.#onError), SWEEP_MS);
    this.#unsubscribe = await this.#jobs.onEnded((id) => {
      this.#admission.release(id, { ended: true }).catch(this.#onError);
    });
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#unsubscribe?.();
    this.#unsubscribe = null;
  }
}
