import { encodeQueueName, lockOptions, moveBack } from '@epd/connector';
import type { Logger } from '@epd/service';
import { DelayedError, UnrecoverableError, WaitingError, Worker, type Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { EncoderError } from '../errors.ts';
import { readMessage } from './encode-message.ts';
import { HandBack } from './hand-back.ts';
import type { ItemContext, ItemEncoder } from './item-encoder.ts';

export interface EncodeWorkerOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly model: string;
  /**
   * Items claimed at once: those in a batch, those being preprocessed for the next, those being
   * saved.
   */
  readonly concurrency: number;
  readonly lockMs: number;
  readonly items: ItemEncoder;
  readonly log: Logger;
}

/** How long a message of an unknown version is left for encoders that may know it. */
const FOREIGN_DELAY_MS = 2_000;

/**
 * BullMQ's side of an encoder: claims messages, and returns those to the queue that it cannot
 * finish.
 */
export class EncodeWorker {
  readonly #worker: Worker<unknown>;
  readonly #redis: Redis;
  readonly #items: ItemEncoder;
  readonly #log: Logger;
  readonly #abort = new AbortController();

  constructor(options: EncodeWorkerOptions) {
    this.#redis = options.redis;
    this.#items = options.items;
    this.#log = options.log;
    const process = (job: Job<unknown>, token?: string) => this.#process(job, token);
    this.#worker = new Worker<unknown>(encodeQueueName(options.model), process, {
      connection: options.redis,
      prefix: options.prefix,
      concurrency: options.concurrency,
      ...lockOptions(options.lockMs),
      // The single-flight record counts crashes with an item; BullMQ's own count would drop the
      // item silently.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
    });
    this.#worker.on('error', (err) => this.#log.error({ err }, 'encode queue error'));
    this.#worker.on('failed', (job, err) =>
      this.#log.error({ err, job: job?.id }, 'encode failed'),
    );
    this.#worker.on('stalled', (job) =>
      this.#log.warn({ job }, 'encode job stalled: its encoder lost the lock'),
    );
  }

  get isRunning(): boolean {
    return this.#worker.isRunning() && !this.#worker.closing;
  }

  /**
   * Stops claiming; finishes the items it holds within the time, and returns the rest to the queue.
   */
  async stop(withinMs: number): Promise<void> {
    const limit = setTimeout(() => this.#abort.abort(), withinMs);
    await this.#worker.close();
    clearTimeout(limit);
  }

  async #process(job: Job<unknown>, token?: string): Promise<void> {
    const message = readMessage(job.data);
    try {
      if (message.kind === 'foreign')
        throw new HandBack('the message is of another version', FOREIGN_DELAY_MS);
      if (message.kind === 'unreadable') await this.#refuse(job, message.mmHash);
      else await this.#items.encode(message.job, this.#context(job));
    } catch (error) {
      if (error instanceof HandBack) await this.#handBack(job, token, error);
      throw error;
    }
  }

  #context(job: Job<unknown>): ItemContext {
    const queueMs = Math.max(0, (job.processedOn ?? Date.now()) - job.timestamp);
    return { queueMs, starts: job.attemptsStarted, signal: this.#abort.signal };
  }

  async #refuse(job: Job<unknown>, mmHash: string | null): Promise<never> {
    const error = new EncoderError('message_unreadable', 'The encode message cannot be read');
    if (mmHash !== null) await this.#items.fail(mmHash, error.toItemError(), this.#context(job));
    throw new UnrecoverableError(error.message);
  }

  /** These errors tell BullMQ that the worker no longer owns the job. */
  async #handBack(job: Job<unknown>, token: string | undefined, reason: HandBack): Promise<never> {
    this.#log.info({ job: job.id, reason: reason.message }, 'encode job returned to the queue');
    if (reason.delayMs === 0) {
      await moveBack(this.#redis, job, token);
      throw new WaitingError();
    }
    await job.moveToDelayed(Date.now() + reason.delayMs, token);
    throw new DelayedError();
  }
}
