import { RecordError, jobKeys, skippedIds, type Job, type JobKeys, type JobStore } from '@epd/jobs';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { JobReader } from '../jobs/job-reader.ts';

/** A queued message. It holds its payload, because the job may be removed before delivery. */
export interface WebhookMessage {
  readonly tenant: string;
  readonly url: string;
  /** The same at every attempt: receivers tell a repeat by it. */
  readonly messageId: string;
  readonly payload: string;
}

export const WEBHOOK_QUEUE = 'webhooks';

interface WebhookQueueParts {
  readonly redis: Redis;
  readonly prefix: string;
  readonly jobs: JobStore;
  readonly reader: Pick<JobReader, 'view'>;
  /** Wait before the second attempt; it doubles from then on. */
  readonly retryMs: number;
  readonly onError: (error: unknown) => void;
}

/** With five seconds at first, the last attempt is about a day after the first. */
const ATTEMPTS = 15;
const FAILED_KEPT_S = 7 * 24 * 3600;
const LOOK_AGAIN_MS = 5_000;
const PER_ROUND = 100;

/**
 * Moves ended jobs that have a webhook from the store's list onto a queue that delivers. A job leaves
 * the list after its message is on the queue, so whatever dies, a message is sent, if need be twice. Every
 * API process looks, and one of them moves a job: who dies at it is followed by another at a later look.
 */
export class WebhookQueue {
  readonly #parts: WebhookQueueParts;
  readonly #queue: Queue<WebhookMessage>;
  readonly #keys: JobKeys;
  readonly #foreign = skippedIds();
  #timer: NodeJS.Timeout | null = null;
  #unsubscribe: (() => Promise<void>) | null = null;
  #round: Promise<void> = Promise.resolve();
  /** A queued round will see everything that is on the list now. */
  #due = false;

  constructor(parts: WebhookQueueParts) {
    this.#parts = parts;
    this.#keys = jobKeys(parts.prefix);
    this.#queue = new Queue(WEBHOOK_QUEUE, { connection: parts.redis, prefix: parts.prefix });
    this.#queue.on('error', parts.onError);
  }

  async start(): Promise<void> {
    this.#timer ??= setInterval(() => this.#look(), LOOK_AGAIN_MS);
    this.#unsubscribe ??= await this.#parts.jobs.onWebhookDue(() => this.#look());
    this.#look();
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#unsubscribe?.();
    await this.#round;
    await this.#queue.close();
  }

  #look(): void {
    if (this.#due) return;
    this.#due = true;
    this.#round = this.#round.then(() => this.#move()).catch(this.#parts.onError);
  }

  async #move(): Promise<void> {
    this.#due = false;
    let moved = 0;
    for (let passed = 0; ;) {
      const ids = await this.#page(passed);
      for (const id of ids) {
        if (!this.#foreign.has(id) && (await this.#moveIfFree(id))) moved += 1;
        else passed += 1;
      }
      if (moved > 0 && ids.length === PER_ROUND) return this.#look();
      if (ids.length < PER_ROUND) return;
    }
  }

  #page(after: number): Promise<string[]> {
    const last = String(after + PER_ROUND - 1);
    return this.#parts.redis.zrange(this.#keys.webhooks, String(after), last);
  }

  /** False: another process moves it, or only another version can. */
  async #moveIfFree(id: string): Promise<boolean> {
    const { redis } = this.#parts;
    const mover = this.#keys.webhookMover(id);
    if ((await redis.set(mover, '1', 'PX', LOOK_AGAIN_MS, 'NX')) === null) return false;
    try {
      await this.#moveOne(id);
      return true;
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      this.#parts.onError(error);
      this.#foreign.set(id, true);
      await redis.del(mover);
      return false;
    }
  }

  async #moveOne(id: string): Promise<void> {
    const job = await this.#parts.jobs.get(id);
    if (job?.webhook?.events.includes(`job.${job.status}`) === true)
      await this.#add(job, job.webhook.url);
    await this.#parts.redis.zrem(this.#keys.webhooks, id);
  }

  async #add(job: Job, url: string): Promise<void> {
    const data = await this.#parts.reader.view(job);
    const timestamp = new Date(job.finishedAtMs ?? Date.now()).toISOString();
    const payload = JSON.stringify({ type: `job.${job.status}`, timestamp, data });
    const messageId = job.id.replace('job_', 'msg_');
    await this.#queue.add(
      'deliver',
      { tenant: job.tenant, url, messageId, payload },
      {
        jobId: `webhook-${job.id}`,
        attempts: ATTEMPTS,
        backoff: { type: 'exponential', delay: this.#parts.retryMs, jitter: 0.2 },
        removeOnComplete: true,
        removeOnFail: { age: FAILED_KEPT_S },
      },
    );
  }
}
