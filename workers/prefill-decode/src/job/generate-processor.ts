import { GenerateJob, MESSAGE_VERSION } from '@epd/connector';
import type { Claim, JobError, JobStore } from '@epd/jobs';
import { ModelError, type PromptBuilder } from '@epd/model';
import type { Logger } from '@epd/service';
import { WaitingError, type Job as QueueJob } from 'bullmq';
import { Compile } from 'typebox/compile';
import { EngineError, type Engine, type EngineEvent } from '../engine/index.ts';
import { buildEngineRequest } from './build-request.ts';
import { HeldJob } from './held-job.ts';
import { emittedTokens } from './resume.ts';

export interface ProcessorOptions {
  readonly engine: Engine;
  readonly jobs: JobStore;
  readonly prompts: PromptBuilder;
  /** Of the embeddings that this worker's decoder can read. */
  readonly fingerprint: string;
  readonly worker: string;
  readonly log: Logger;
  /** The job is over: whatever it held in the fleet (waiter entries, leases) is let go. */
  readonly onOver: (claim: Claim) => Promise<void>;
}

/** Takeovers before a job is taken for the cause of its workers' deaths. */
const MAX_CLAIMS = 20;
/** A message of a version that we do not know waits this long for a worker that does. */
const HAND_BACK_MS = 1_000;

const messageSchema = Compile(GenerateJob);

/**
 * What a PD worker does with a generate job: claim, tokenize, hand to the engine, write what comes.
 * Many jobs are held at once; the engine decides which of them has a slot.
 */
export class GenerateProcessor {
  readonly #options: ProcessorOptions;
  readonly #held = new Map<string, HeldJob>();
  #stopping = false;

  constructor(options: ProcessorOptions) {
    this.#options = options;
    options.engine.on((event) => this.#route(event));
  }

  get held(): number {
    return this.#held.size;
  }

  /** BullMQ's processor. Resolves when the job needs no worker any more. */
  async process(queued: QueueJob<unknown>, token?: string): Promise<void> {
    const message = queued.data;
    if (this.#stopping || !messageSchema.Check(message)) return this.#handBack(queued, token);
    const claim = await this.#options.jobs.claim(message.jobId, this.#options.worker);
    if (claim === null) return;
    const held = new HeldJob(claim, this.#options.jobs);
    this.#held.set(claim.job.id, held);
    try {
      this.#begin(held);
      const release = await held.released;
      if (release === 'handed_back') await this.#handBack(queued, token);
      else if (release === 'ended') await this.#options.onOver(claim);
    } finally {
      this.#held.delete(claim.job.id);
      this.#options.engine.abort(claim.job.id);
    }
  }

  /** Somebody (a cancel, a deadline) has ended the job: the engine drops it at its next step. */
  ended(id: string): void {
    this.#held.get(id)?.release('ended');
  }

  /** Lets others have what is held; they go on from the last token that was written. */
  handBackAll(): void {
    this.#stopping = true;
    for (const held of this.#held.values()) held.release('handed_back');
  }

  /** A lost message about an ending costs a look now and then, never a slot for ever. */
  async dropEnded(): Promise<void> {
    for (const [id, held] of this.#held) {
      const job = await this.#options.jobs.get(id);
      if (job === null || job.ending !== null) held.release('ended');
    }
  }

  #begin(held: HeldJob): void {
    const { job, fence, emitted } = held.claim;
    if (fence > MAX_CLAIMS) return held.fail(WORKER_LOST);
    if (job.request.images.length > 0 && job.request.fingerprint !== this.#options.fingerprint) {
      return held.fail(MODEL_CHANGED);
    }
    try {
      const resume = emittedTokens(emitted, job.request.sampling.n);
      const { request, images } = buildEngineRequest(job, this.#options.prompts, resume);
      held.images = images;
      this.#options.engine.add(request);
    } catch (error) {
      held.fail(asJobError(error));
    }
  }

  #route(event: EngineEvent): void {
    this.#held.get(event.id)?.take(event);
  }

  async #handBack(queued: QueueJob<unknown>, token?: string): Promise<never> {
    if (!this.#stopping) {
      this.#options.log.warn(
        { id: queued.id, known: MESSAGE_VERSION },
        'handing back a message of unknown version',
      );
      await new Promise((resolve) => setTimeout(resolve, HAND_BACK_MS));
    }
    await queued.moveToWait(token);
    throw new WaitingError();
  }
}

const WORKER_LOST: JobError = {
  code: 'worker_lost',
  message: `Given up after ${MAX_CLAIMS} workers were lost while they held it`,
  stage: 'prefill',
  item: null,
  retryable: true,
};

const MODEL_CHANGED: JobError = {
  code: 'model_changed',
  message: 'The images were accepted for another version of the model; submit the job again',
  stage: 'prefill',
  item: null,
  retryable: true,
};

/** A request that this model cannot take fails the job; anything else is ours, and BullMQ retries it. */
function asJobError(error: unknown): JobError {
  if (!(error instanceof EngineError || error instanceof ModelError)) throw error;
  return {
    code: error.code,
    message: error.message,
    stage: 'prefill',
    item: null,
    retryable: false,
  };
}
