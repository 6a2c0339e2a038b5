import type { Claim, Ending, JobError, JobEvent, JobStore } from '@epd/jobs';
import type { AnswerValidator } from '../constraint/answer-validator.ts';
import type { EngineEvent } from '../engine/index.ts';
import { brokenPromise, type Finished } from './broken-promise.ts';
import { completedEnding, failedEnding } from './ending.ts';
import { EventWriter } from './event-writer.ts';
import { traceFinished, traceLoaded } from './trace-job.ts';
import type { WritePace } from './write-pace.ts';

/** Why this worker is done with a job. */
export type Release = 'ended' | 'handed_back' | 'refused' | 'broken' | 'lost';

/** No answer about the job: another worker, or this one anew, may serve it. */
const ENGINE_FAILURES: ReadonlySet<string> = new Set([
  'runner_lost',
  'step_failed',
  'constraint_lost',
]);

/**
 * One job that this worker has claimed, from the claim until it is ended, handed back or lost.
 *
 * - held: engine events are written under the claim's fence.
 * - ended: the terminal transition was made, by us or by somebody else (cancel, deadline).
 * - handed back: this process stops; the job waits for another worker.
 * - refused: this engine has no room for it, or is ending; likewise.
 * - broken: the engine failed while it had the job; likewise, but it counts as a loss.
 * - lost: a later claim voided ours; nothing more is written.
 *
 * `released` resolves once, with the first of those after the first. `left` resolves when the engine
 * has nothing of it any more.
 */
export class HeldJob {
  readonly claim: Claim;
  readonly released: Promise<Release>;
  readonly left: Promise<void>;
  readonly leave: () => void;
  /** Aborted once the job is released: what is still being done for it is done for nobody. */
  readonly gone: AbortSignal;
  /** The job's image of each feature that the engine knows. */
  images: readonly number[] = [];
  readonly #jobs: JobStore;
  readonly #validator: AnswerValidator;
  readonly #writer: EventWriter;
  readonly #release: (release: Release) => void;
  readonly #fail: (error: unknown) => void;

  constructor(claim: Claim, jobs: JobStore, validator: AnswerValidator, pace: WritePace) {
    const { promise, resolve, reject } = Promise.withResolvers<Release>();
    const left = Promise.withResolvers<void>();
    const gone = new AbortController();
    this.gone = gone.signal;
    this.claim = claim;
    this.left = left.promise;
    this.leave = left.resolve;
    this.released = promise;
    this.#jobs = jobs;
    this.#validator = validator;
    this.#release = (release) => {
      gone.abort();
      resolve(release);
    };
    this.#fail = (error) => {
      gone.abort();
      reject(error);
    };
    this.#writer = new EventWriter(
      (events) => jobs.append(claim.job.id, claim.fence, events),
      pace,
      () => this.release('lost'),
      this.#fail,
    );
    if (claim.fence > 1) this.#write({ type: 'stage', stage: 'resumed', ms: this.#ms() });
  }

  /** Takes what the engine says of this job. */
  take(event: EngineEvent): void {
    if (event.type === 'tokens') {
      const { choice, ids, text, deltas, logprobs } = event;
      this.#write({
        type: 'tokens',
        choice,
        ids,
        text,
        ...(deltas && { deltas }),
        ...(logprobs && { logprobs }),
      });
    } else if (event.type === 'stage') {
      traceLoaded(this.claim.job, event, Date.now());
      this.#stage(event);
    } else if (event.type === 'finished') {
      traceFinished(this.claim.job, event, Date.now());
      void this.#finish(event).catch(this.#fail);
    } else if (ENGINE_FAILURES.has(event.error.code)) {
      this.release('broken');
    } else {
      const { item = null } = this.#imageOf(event.error.item);
      this.fail({ ...event.error, item });
    }
  }

  fail(error: JobError): void {
    this.#end(failedEnding(error, this.#ms()));
  }

  /** Something failed that says nothing of the job: `released` rejects. */
  throw(error: unknown): void {
    this.#fail(error);
  }

  release(release: Release): void {
    this.#release(release);
  }

  /** Writes what was emitted and not written yet, then nothing more: whoever claims the job next resumes after it. */
  async flush(): Promise<void> {
    const { job, fence } = this.claim;
    const rest = await this.#writer.close();
    if (rest.length > 0) await this.#jobs.append(job.id, fence, rest);
  }

  /** An answer that was promised to follow a constraint is checked before it is called completed. */
  async #finish(event: Finished): Promise<void> {
    const fault = await brokenPromise(this.claim.job.request.sampling, event, this.#validator);
    if (fault === null) this.#end(completedEnding(this.claim.job, event, this.#ms()));
    else this.fail(fault);
  }

  #stage(event: Extract<EngineEvent, { type: 'stage' }>): void {
    const { stage, item, detail } = event;
    this.#write({
      type: 'stage',
      stage,
      ms: this.#ms(),
      ...this.#imageOf(item),
      ...(detail === undefined ? {} : { detail }),
    });
  }

  #imageOf(feature: number | null | undefined): { item?: number } {
    const item = feature === undefined || feature === null ? undefined : this.images[feature];
    return item === undefined ? {} : { item };
  }

  #write(event: JobEvent): void {
    this.#writer.add(event);
  }

  /** What was emitted is in the stream before the ending is; what is not written yet goes with it. */
  #end(ending: Ending): void {
    const { job, fence } = this.claim;
    this.#writer
      .close()
      .then((rest) =>
        this.#writer.refused ? false : this.#jobs.finish(job.id, ending, fence, rest),
      )
      .then((ended) => this.release(ended ? 'ended' : 'lost'))
      .catch(this.#fail);
  }

  #ms(): number {
    return Math.round(performance.now() - this.claim.acceptedAt);
  }
}
