import type { Claim, Ending, JobError, JobEvent, JobStore, Sampling } from '@epd/jobs';
import type { AnswerValidator } from '../constraint/answer-validator.ts';
import type { OutputFormat } from '@epd/model';
import type { EngineEvent } from '../engine/index.ts';
import { brokenPromise, type Finished } from './broken-promise.ts';
import { completedEnding, failedEnding } from './ending.ts';
import { effectiveSampling } from './effective-sampling.ts';
import { EventWriter } from './event-writer.ts';
import { releaseFor } from './failures.ts';
import { traceFinished, traceLoaded } from './trace-job.ts';
import type { WritePace } from './write-pace.ts';

/** Why this worker is done with a job. */
export type Release = 'ended' | 'handed_back' | 'refused' | 'broken' | 'lost';

export interface HeldJobParts {
  readonly validator: Pick<AnswerValidator, 'faultOf'>;
  /** What the model's output contains besides content. */
  readonly format: OutputFormat;
  /** When tokens are written. */
  readonly pace: WritePace;
}

/**
 * One job that this worker has claimed, from the claim until it is ended, returned to the queue or
 * lost.
 *
 * - held: engine events are written under the claim's fence.
 * - ended: the terminal transition was made, by us or by another process (cancel, deadline).
 * - handed back: this process stops; the job is queued again for another worker.
 * - refused: this engine has no room for it, or is closing; likewise.
 * - broken: the engine, or the thread that makes its token masks, failed while it had the job; likewise, but it
 *   counts as a loss.
 * - lost: a later claim voided ours; nothing more is written.
 *
 * `released` resolves once, with the first of these after `held`. `left` resolves when the engine
 * has dropped it.
 */
export class HeldJob {
  readonly claim: Claim;
  /** The request's, with the form of the model's calls. */
  readonly sampling: Sampling;
  readonly released: Promise<Release>;
  readonly left: Promise<void>;
  readonly leave: () => void;
  /** Aborted once the job is released: further work for it is useless. */
  readonly gone: AbortSignal;
  /** The job's image of each feature that the engine knows. */
  images: readonly number[] = [];
  readonly #jobs: JobStore;
  readonly #validator: HeldJobParts['validator'];
  readonly #writer: EventWriter;
  readonly #release: (release: Release) => void;
  readonly #fail: (error: unknown) => void;
  /** Text that answers released when they ended. */
  readonly #last: JobEvent[] = [];

  constructor(claim: Claim, jobs: JobStore, { validator, format, pace }: HeldJobParts) {
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
    this.sampling = effectiveSampling(claim.job.request, format);
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

  /** Processes the engine's events of this job. */
  take(event: EngineEvent): void {
    if (event.type === 'tokens') {
      this.#take(event);
    } else if (event.type === 'stage') {
      traceLoaded(this.claim.job, event, Date.now());
      this.#stage(event);
    } else if (event.type === 'finished') {
      traceFinished(this.claim.job, event, Date.now());
      void this.#finish(event).catch(this.#fail);
    } else this.#failed(event.error);
  }

  #failed(error: JobError): void {
    const release = releaseFor(error.code);
    if (release) return this.release(release);
    const { item = null } = this.#imageOf(error.item);
    this.fail({ ...error, item });
  }

  /**
   * Text without a token was released by an end token. That token is not written, so a worker that
   * resumes samples it again: the text is written with the ending or not at all, because otherwise
   * it would be emitted twice.
   */
  #take({ choice, ids, text, deltas, logprobs }: Extract<EngineEvent, { type: 'tokens' }>): void {
    const event: JobEvent = {
      type: 'tokens',
      choice,
      ids,
      text,
      ...(deltas && { deltas }),
      ...(logprobs && { logprobs }),
    };
    if (ids.length > 0) this.#write(event);
    else this.#last.push(event);
  }

  fail(error: JobError): void {
    this.#end(failedEnding(error, this.#ms()));
  }

  /** An error that is not the job's fault: `released` rejects. */
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

  /** An answer with a constraint is validated before it is reported as completed. */
  async #finish(event: Finished): Promise<void> {
    const { request } = this.claim.job;
    const asked = { sampling: this.sampling, tools: request.tools };
    const fault = await brokenPromise(asked, event, this.#validator);
    if (fault === null) this.#end(completedEnding(this.claim, event, this.#ms()), this.#last);
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

  /**
   * Emitted events are in the stream before the ending; those not written yet are written with it.
   */
  #end(ending: Ending, last: readonly JobEvent[] = []): void {
    const { job, fence } = this.claim;
    this.#writer
      .close()
      .then((rest) =>
        this.#writer.refused ? false : this.#jobs.finish(job.id, ending, fence, [...rest, ...last]),
      )
      .then((ended) => this.release(ended ? 'ended' : 'lost'))
      .catch(this.#fail);
  }

  #ms(): number {
    return Math.round(performance.now() - this.claim.acceptedAt);
  }
}
