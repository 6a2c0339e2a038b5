import { withConnectorStep } from '@epd/connector';
import { DEFAULT_LIMITS, type Constraint } from '@epd/constraint';
import type { JobError } from '@epd/jobs';
import { MaskService } from '../constraint/mask-service.ts';
import type { StepResult } from '../runner/messages.ts';
import { Runner, RunnerLostError } from '../runner/runner.ts';
import { holdRequest } from './requests/hold-request.ts';
import { readEngineModel, type EngineOptions } from './engine-options.ts';
import type { EngineModel } from './requests/engine-model.ts';
import { EngineError } from './errors.ts';
import { assemble, type EngineParts } from './assemble.ts';
import type { EngineListener, EngineRequest, EngineStats } from './requests/request.ts';
import { ASK_AGAIN_MS } from './images/image-rounds.ts';
import type { Schedule } from './schedule/scheduler.ts';
import type { Sequence } from './sequences/sequence.ts';
import { logLoaded } from './log-loaded.ts';
import { Wake } from './wake.ts';

const RUN_TIMEOUT_MS = 120_000;
const CONSTRAINTS = { limits: DEFAULT_LIMITS, compileMs: 5_000, maskMs: 10_000 };

/**
 * The prefill/decode engine. One loop: receive image embeddings that arrived, schedule the next
 * step, send it to the runner, and process the tokens of the previous step. So the runner always
 * has its next step queued, and the main thread schedules while the runner computes. Requests are
 * added and dropped between steps.
 *
 * accepting → closing (refuses new requests, drops those it holds) → closed (the thread has
 * exited).
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #model: EngineModel;
  readonly #runner: Runner;
  readonly #parts: EngineParts;
  readonly #masks: MaskService;
  readonly #wake = new Wake();
  readonly #lost = Promise.withResolvers<Error>();
  #keys = 0;
  #steps = 0;
  #underWay: StepUnderWay | null = null;
  #batchOccupancy = 0;
  #prefixHitTokens = 0;
  #accepting = true;
  #closing = false;
  #loop: Promise<void> = Promise.resolve();

  private constructor(options: EngineOptions, model: EngineModel, runner: Runner) {
    this.#options = options;
    this.#model = model;
    this.#runner = runner;
    this.#parts = assemble(options, model, runner);
    const { modelFolder, constraints = CONSTRAINTS, logger } = options;
    this.#masks = new MaskService(
      { modelFolder, ...constraints, ...(logger && { logger }) },
      runner,
    );
    this.#parts.connector.scheduler.onProgress(() => this.#wake.call());
    void runner.whenLost.then((error) => this.#loseRunner(error));
  }

  /** Loads the model and starts the loop. Rejects when the model cannot be loaded. */
  static async create(options: EngineOptions): Promise<Engine> {
    const { model, runner } = await readEngineModel(options);
    const { runTimeoutMs = RUN_TIMEOUT_MS, onHang = () => {} } = options;
    const watch = { runTimeoutMs, onHang };
    const engine = new Engine(options, model, await Runner.start(runner, watch));
    logLoaded(options, engine.#runner.facts, engine.#parts.bounds);
    engine.#loop = engine.#run();
    return engine;
  }

  /** Resolves when the runner thread has exited: the process should exit and be restarted. */
  get lost(): Promise<Error> {
    return this.#lost.promise;
  }

  /**
   * Adds a request. Throws `EngineError` when it can never be served, or not by this engine now.
   */
  add(request: EngineRequest): void {
    const { book, bounds } = this.#parts;
    if (!this.#accepting)
      throw new EngineError('engine_closed', 'The engine is closed to new requests');
    if (book.size >= this.#options.maxHeld) {
      const message = `The engine is full: it already holds ${book.size} requests`;
      throw new EngineError('engine_full', message, { held: book.size });
    }
    if (book.get(request.id)) {
      throw new EngineError(
        'invalid_request',
        `The engine already holds the request ${request.id}`,
      );
    }
    book.add(holdRequest(request, this.#model, bounds, () => this.#keys++));
    this.#wake.call();
  }

  /** Resolves when requests with the constraint can be added. Throws `ConstraintServiceError`. */
  prepare(constraint: Constraint): Promise<void> {
    return this.#masks.prepare(constraint);
  }

  /** Drops a request. Its slot is free at the next step; the engine emits no more events for it. */
  abort(id: string): void {
    const { book } = this.#parts;
    const held = book.get(id);
    if (!held) return;
    book.drop(held);
    this.#wake.call();
  }

  /** Subscribes to the events of requests; returns the function that unsubscribes. */
  on(listener: EngineListener): () => void {
    return this.#parts.outbox.on(listener);
  }

  /**
   * mm_hashes of images that cached prefixes cover: a prompt with the same prefix needs no encode.
   */
  residentHashes(): string[] {
    return [...this.#parts.prefixes.images()];
  }

  stats(): EngineStats {
    const { plan, slots, prefixes, scheduler, drafting, rounds } = this.#parts;
    return {
      waiting: scheduler.waiting.length,
      running: scheduler.running.length,
      waitingForEmbeddings: rounds.blocked,
      slots: slots.count,
      slotsUsed: slots.used,
      cachedPrefixBytes: prefixes.tokens * plan.bytesPerToken,
      kvBytes: (slots.count * slots.length + prefixes.tokens) * plan.bytesPerToken,
      bucket: slots.length,
      batchOccupancy: this.#batchOccupancy,
      prefixHitTokens: this.#prefixHitTokens,
      preemptions: scheduler.preemptions,
      drafts: { ...drafting.counts },
      steps: this.#steps,
      graphRewritten: this.#runner.facts.rewritten,
    };
  }

  /** Drops all requests and stops the runner's thread after its current step. */
  async close(): Promise<void> {
    const { book } = this.#parts;
    this.#accepting = false;
    this.#closing = true;
    for (const held of book.all) book.drop(held);
    this.#wake.call();
    await this.#loop;
    await this.#masks.close();
    await this.#runner.close();
  }

  async #run(): Promise<void> {
    const { rounds, connector, outbox } = this.#parts;
    while (!this.#closing) {
      const loads = rounds.prepare();
      const { output } = await withConnectorStep(connector.worker, loads, () => this.#advance());
      rounds.take(output);
    }
    if (this.#underWay) await this.#settle(this.#underWay);
    outbox.flush();
  }

  /**
   * Sends a step and waits for the previous one; without either, waits for an event. Where drafts
   * are to be made, waits first: they follow from the previous step's tokens.
   */
  async #advance(): Promise<void> {
    const { rounds, scheduler, drafting, outbox } = this.#parts;
    const first = this.#underWay;
    if (first && drafting.awaits(first.schedule.work, scheduler.running)) {
      await this.#settle(first);
      this.#underWay = null;
    }
    const schedule = scheduler.schedule();
    for (const sequence of schedule?.admitted ?? []) this.#noteAdmitted(sequence);
    rounds.noteBlocked();
    const before = this.#underWay;
    this.#underWay = schedule && this.#send(schedule);
    outbox.flush();
    if (before) await this.#settle(before);
    else if (!schedule && !first) await this.#rest();
  }

  async #rest(): Promise<void> {
    await this.#wake.sleep(this.#parts.book.size > 0 ? ASK_AGAIN_MS : null);
  }

  #send(schedule: Schedule): StepUnderWay {
    const { slots, book } = this.#parts;
    const operations = slots.takeOperations();
    const { open, close } = book.takeSamplerChanges();
    const made = this.#runner.step({ operations, open, close, runs: schedule.runs });
    // The loop awaits it after the previous step; it may reject before that.
    made.catch(() => {});
    return { schedule, made };
  }

  async #settle({ schedule, made }: StepUnderWay): Promise<void> {
    const { book, scheduler, drafting, intake, plan } = this.#parts;
    try {
      const { samples, failures, runsMs } = await made;
      // First: what failed is not cached for others.
      for (const failure of failures) book.takeFailure(failure);
      scheduler.settle(schedule, runsMs);
      for (const { sequence } of schedule.work) {
        if (sequence.slot !== null) intake.release(sequence, sequence.cached);
      }
      for (const sampled of samples) book.take(sampled, (length) => length < plan.longest);
      drafting.settle(schedule.work);
      this.#noteStep(schedule, runsMs);
    } catch (error) {
      this.#stepFailed(schedule, error);
    }
  }

  #noteAdmitted(sequence: Sequence): void {
    const { book, outbox, rounds } = this.#parts;
    const held = book.of(sequence);
    if (!held) return;
    rounds.noteCovered(held, sequence);
    if (held.clock.admitted) return;
    held.clock.holdRequest();
    held.cachedTokens = sequence.reused;
    this.#prefixHitTokens += sequence.reused;
    const detail = { cachedTokens: sequence.reused };
    outbox.add({ type: 'stage', id: held.id, stage: 'prefill', detail });
  }

  #noteStep(schedule: Schedule, runsMs: readonly number[]): void {
    const { slots, scheduler } = this.#parts;
    this.#steps++;
    if (schedule.decodeRows > 0) this.#batchOccupancy = schedule.decodeRows;
    this.#options.logger?.debug(
      {
        step: this.#steps,
        decodeRows: schedule.decodeRows,
        prefillTokens: schedule.prefillTokens,
        chunks: schedule.chunks,
        running: scheduler.running.length,
        waiting: scheduler.waiting.length,
        bucket: slots.length,
        runsMs,
      },
      'step',
    );
  }

  /**
   * The KV cache of the step's sequences is in an unknown state: their requests fail, the others
   * continue.
   */
  #stepFailed(schedule: Schedule, error: unknown): void {
    if (error instanceof RunnerLostError) return;
    this.#options.logger?.error({ err: error }, 'engine step failed');
    const { book, scheduler } = this.#parts;
    scheduler.abandon(schedule);
    const touched = new Set(schedule.work.map(({ sequence }) => book.of(sequence)));
    for (const held of touched) if (held) book.fail(held, engineFault('step_failed', error));
  }

  /** Nothing can be computed any more; other workers may claim the jobs. */
  #loseRunner(error: RunnerLostError): void {
    if (this.#closing) return;
    this.#options.logger?.error({ err: error }, 'runner thread lost');
    const { book } = this.#parts;
    this.#accepting = false;
    this.#closing = true;
    for (const held of book.all) book.fail(held, engineFault('runner_lost', error));
    this.#lost.resolve(error);
    this.#wake.call();
  }
}

interface StepUnderWay {
  readonly schedule: Schedule;
  readonly made: Promise<StepResult>;
}

function engineFault(code: string, error: unknown): JobError {
  const message = error instanceof Error ? error.message : String(error);
  return { code, message, stage: 'decode', item: null, retryable: true };
}
