import { GenerateJob, MESSAGE_VERSION, Semaphore } from '@epd/connector';
import { DAMAGED_ENDING, RecordError, type Claim, type Job, type JobStore } from '@epd/jobs';
import type { OutputFormat } from '@epd/model';
import type { Logger } from '@epd/service';
import { WaitingError, type Job as QueueJob } from 'bullmq';
import type { Redis } from 'ioredis';
import { Compile } from 'typebox/compile';
import type { AnswerValidator } from '../constraint/answer-validator.ts';
import type { Engine, EngineEvent } from '../engine/index.ts';
import { promptRequest } from './prompt-request.ts';
import type { Prompts } from '../prompt/prompts.ts';
import { buildEngineRequest } from './build-request.ts';
import { failedEnding } from './ending.ts';
import { asJobError, LOSSES_MAX, MODEL_CHANGED, releaseFor, WORKER_LOST } from './failures.ts';
import { HandBacks } from './hand-backs.ts';
import { HeldJob, type Release } from './held-job.ts';
import { WritePace } from './write-pace.ts';
import { emittedTokens } from './resume.ts';

export interface ProcessorOptions {
  readonly engine: Engine;
  readonly jobs: JobStore;
  readonly validator: AnswerValidator;
  /** What the model's output contains besides content. */
  readonly format: OutputFormat;
  /** Of the queue. */
  readonly redis: Redis;
  readonly prompts: Pick<Prompts, 'build'>;
  /** Fingerprint of the embeddings that this worker's decoder can read. */
  readonly fingerprint: string;
  /** Revision of this worker's answers; '' in a fleet without revisions. */
  readonly revision: string;
  readonly worker: string;
  /** Tenants may use each other's cached prefixes. */
  readonly sharePrefixes: boolean;
  readonly log: Logger;
  /** The job is over: releases its reservations in the fleet (waiter entries, leases). */
  readonly onOver: (job: Job) => Promise<void>;
  /** Called for a claim of a job that another worker had released, or was lost with. */
  readonly onTakeover: (after: Takeover) => void;
}

export type Takeover = 'hand_back' | 'loss';

/** A job with this many lost workers is a suspect: suspects are served one at a time. */
const SUSPECT_LOSSES = 2;
/**
 * How often a job of another version of the model is returned to the queue, a second apart: a
 * rollout takes no longer.
 */
const OTHER_MODEL_STARTS_MAX = 60;

const messageSchema = Compile(GenerateJob);

/**
 * What a PD worker does with a generate job: claim, tokenize, add to the engine, write its events.
 * It holds many jobs at once; the engine decides which of them has a slot.
 */
export class GenerateProcessor {
  readonly #options: ProcessorOptions;
  readonly #held = new Map<string, HeldJob>();
  readonly #pace = new WritePace(() => this.#held.size);
  readonly #suspects = new Semaphore(1);
  readonly #handBacks: HandBacks;

  constructor(options: ProcessorOptions) {
    this.#options = options;
    this.#handBacks = new HandBacks(options);
    options.engine.on((event) => this.#route(event));
  }

  get held(): number {
    return this.#held.size;
  }

  /** BullMQ's processor. Resolves when the job needs no worker any more. */
  async process(queued: QueueJob<unknown>, token?: string): Promise<void> {
    const message = queued.data;
    if (this.#handBacks.stopping) return this.#handBacks.now(queued, token);
    if (!messageSchema.Check(message)) return this.#passOver(queued, token);
    try {
      const claim = await this.#claim(message.jobId);
      if (claim === null) return await this.#clearUp(message.jobId);
      if (claim.losses < SUSPECT_LOSSES) await this.#serve(claim, queued, token);
      else await this.#serveSuspect(claim, queued, token);
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      if (error.foreign) await this.#handBacks.foreign(queued, token);
      else await this.#giveUpDamaged(error);
    }
  }

  /** The job was ended elsewhere (a cancel, a deadline): the engine drops it at its next step. */
  ended(id: string): void {
    this.#held.get(id)?.release('ended');
  }

  /** Returns all held jobs to the queue; other workers resume after the last written token. */
  handBackAll(): void {
    this.#handBacks.stop();
    for (const held of this.#held.values()) held.release('handed_back');
  }

  /** Periodic check: a missed notification about an ended job must not hold a slot for ever. */
  async dropEnded(): Promise<void> {
    for (const [id, held] of this.#held) {
      const job = await this.#options.jobs.get(id);
      if (job === null || job.ending !== null) held.release('ended');
    }
  }

  /**
   * The job has ended, and the process that ended it may have died before it released the job's
   * reservations.
   */
  async #clearUp(id: string): Promise<void> {
    const job = await this.#options.jobs.get(id).catch(orUnreadable);
    if (job !== null && job.ending !== null) await this.#options.onOver(job);
  }

  async #claim(id: string): Promise<Claim | null> {
    const { jobs, worker, revision, onTakeover } = this.#options;
    const claim = await jobs.claim(id, worker, revision);
    const before = claim?.before ?? null;
    if (before !== null && before.worker !== worker) {
      onTakeover(before.handedBack ? 'hand_back' : 'loss');
    }
    return claim;
  }

  /**
   * If it crashes this worker, only jobs that are not suspects yet are lost with it: other suspects
   * are queued unclaimed. So the culprit reaches its limit alone.
   */
  async #serveSuspect({ job, fence }: Claim, queued: QueueJob, token?: string): Promise<void> {
    await this.#options.jobs.handBack(job.id, fence);
    const end = await this.#suspects.acquire();
    try {
      if (this.#handBacks.stopping) await this.#handBacks.now(queued, token);
      const claim = await this.#claim(job.id);
      if (claim !== null) await this.#serve(claim, queued, token);
    } finally {
      end();
    }
  }

  async #serve(claim: Claim, queued: QueueJob, token?: string): Promise<void> {
    const { id } = claim.job;
    if (!(await this.#displace(id, claim.fence))) return;
    if (this.#isOfOtherModel(claim)) return this.#leaveToOthers(claim, queued, token);
    const { jobs, validator, format } = this.#options;
    const held = new HeldJob(claim, jobs, { validator, format, pace: this.#pace });
    this.#held.set(id, held);
    try {
      const release = await this.#answer(held);
      if (release === 'ended') await this.#options.onOver(claim.job);
      else if (release !== 'lost') await this.#handBacks.held(held, release, queued, token);
    } catch (error) {
      if (!(error instanceof WaitingError)) await this.#handBacks.claim(claim, error);
      throw error;
    } finally {
      this.#held.delete(id);
      held.leave();
    }
  }

  /** From the claim until the job is released; by then the engine has dropped it. */
  async #answer(held: HeldJob): Promise<Release> {
    const { log, engine } = this.#options;
    const { job, fence, acceptedAt } = held.claim;
    const facts = { job: job.id, attempt: fence, model: job.request.model };
    log.info(facts, 'claimed');
    if (this.#handBacks.stopping) held.release('handed_back');
    else void this.#begin(held);
    try {
      const release = await held.released;
      const ms = Math.round(performance.now() - acceptedAt);
      log.info({ ...facts, release, ms }, 'released');
      return release;
    } finally {
      // First, before the other reservations: the engine would request the job's images again, and
      // keep its slot.
      engine.abort(job.id);
    }
  }

  /**
   * This worker can neither resume tokens of another decoder nor read embeddings of another
   * encoder.
   */
  #isOfOtherModel({ job: { request }, boundTo }: Claim): boolean {
    const { revision, fingerprint } = this.#options;
    if (boundTo !== null && boundTo !== revision) return true;
    return request.images.length > 0 && request.fingerprint !== fingerprint;
  }

  /** During a rollout there are workers of both versions. */
  async #leaveToOthers(claim: Claim, queued: QueueJob, token?: string): Promise<void> {
    const { jobs, log, onOver } = this.#options;
    const { job, fence, handedBack, acceptedAt } = claim;
    if (handedBack < OTHER_MODEL_STARTS_MAX) {
      log.info(
        { job: job.id, attempt: fence },
        'returned to the queue: the job needs another version of the model',
      );
      await jobs.handBack(job.id, fence);
      return this.#handBacks.later(queued, token);
    }
    const ms = Math.round(performance.now() - acceptedAt);
    if (await jobs.finish(job.id, failedEnding(MODEL_CHANGED, ms), fence)) await onOver(job);
  }

  /**
   * A worker that was paused for longer than its lock may claim a job that it still holds. The
   * later claim counts. False: that is not ours.
   */
  async #displace(id: string, fence: number): Promise<boolean> {
    for (;;) {
      const earlier = this.#held.get(id);
      if (earlier === undefined) return true;
      if (earlier.claim.fence > fence) return false;
      earlier.release('lost');
      await earlier.left;
    }
  }

  async #begin(held: HeldJob): Promise<void> {
    if (held.claim.losses >= LOSSES_MAX) return held.fail(WORKER_LOST);
    try {
      await this.#ask(held);
    } catch (error) {
      if (held.gone.aborted) return;
      const failure = asJobError(error);
      const release = failure && releaseFor(failure.code);
      if (release) held.release(release);
      else if (failure) held.fail(failure);
      else held.throw(error);
    }
  }

  /** The prompt is built in another thread; meanwhile the job may have been ended. */
  async #ask(held: HeldJob): Promise<void> {
    const { engine, prompts, sharePrefixes, format } = this.#options;
    const { claim, gone, sampling } = held;
    const { tenant, request } = claim.job;
    const { constraint } = sampling;
    const [prompt] = await Promise.all([
      prompts.build(promptRequest(request, sampling), gone),
      constraint === undefined ? null : engine.prepare(constraint),
    ]);
    if (gone.aborted) return;
    const resume = emittedTokens(claim.emitted, request.sampling.n);
    const scope = sharePrefixes ? '' : tenant;
    const asked = buildEngineRequest(claim, prompt, { resume, scope, format, sampling });
    held.images = asked.images;
    engine.add(asked.request);
  }

  #route(event: EngineEvent): void {
    this.#held.get(event.id)?.take(event);
  }

  /**
   * A message of another version is for other workers. The record has everything that a damaged one
   * said.
   */
  async #passOver(queued: QueueJob<unknown>, token?: string): Promise<void> {
    const { v } = (queued.data ?? {}) as { v?: unknown };
    if (typeof v === 'number' && v !== MESSAGE_VERSION)
      return this.#handBacks.foreign(queued, token);
    const facts = { id: queued.id };
    this.#options.log.error(
      facts,
      'dropped a damaged queue message; the reconciler will write it again',
    );
  }

  /** The job's reservations in the fleet are unknown: they expire by themselves. */
  async #giveUpDamaged(error: RecordError): Promise<void> {
    this.#options.log.error({ err: error, job: error.jobId }, 'job failed: its record is damaged');
    await this.#options.jobs.finish(error.jobId, DAMAGED_ENDING);
  }
}

/** A record of another version: processes that know it release its reservations. */
function orUnreadable(error: unknown): null {
  if (error instanceof RecordError) return null;
  throw error;
}
