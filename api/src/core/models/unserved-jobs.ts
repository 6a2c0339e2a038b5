import { generateQueueName } from '@epd/connector';
import type { ModelRegistry } from '@epd/fleet';
import { waitingKey, type Ending, type Job, type JobStore } from '@epd/jobs';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';

interface UnservedJobsOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly registry: Pick<ModelRegistry, 'models' | 'unservedMs'>;
  readonly jobs: JobStore;
  /** Maximum time in ms that a job is queued for a model without workers. */
  readonly waitMs: number;
  /** Releases the reservations of an ended job. */
  readonly onEnded: (job: Job) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/** The limit is minutes: a late check matters little. */
const LOOK_MS = 15_000;
/** Jobs checked per round trip. */
const PAGE = 100;

/**
 * Ends jobs that are queued for a model that has had no prefill/decode worker for too
 * long, or all serve other revisions than the one its name is pinned to, so that no job waits for
 * ever. Any number of processes may run it, because a job ends once.
 */
export class UnservedJobs {
  readonly #options: UnservedJobsOptions;
  readonly #queues = new Map<string, Queue>();
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: UnservedJobsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      this.#looking = this.#looking.then(() => this.look()).catch(this.#options.onError);
    }, LOOK_MS);
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#looking;
    await Promise.all(Array.from(this.#queues.values(), (queue) => queue.close()));
    this.#queues.clear();
  }

  async look(): Promise<void> {
    const { registry, waitMs } = this.#options;
    for (const { id, revision } of await registry.models()) {
      const unserved = await registry.unservedMs(id);
      if (unserved === null || unserved > waitMs) await this.#endWaiting(id, revision);
    }
  }

  async #endWaiting(model: string, revision: string | undefined): Promise<void> {
    const { redis, prefix, waitMs } = this.#options;
    const [seconds] = await redis.time(); // records use its clock
    const acceptedBy = Number(seconds) * 1000 - waitMs;
    const ending = unserved(model, revision);
    for (let from = 0; ;) {
      const ids = await redis.zrange(waitingKey(prefix, model), `${from}`, `${from + PAGE - 1}`);
      if (ids.length === 0) return;
      // Ended jobs leave the queue, so the next page starts after those that stay.
      for (const id of ids) if (!(await this.#end(id, { model, acceptedBy, ending }))) from++;
    }
  }

  /** False: it stays in the queue. */
  async #end(id: string, { model, acceptedBy, ending }: Overdue): Promise<boolean> {
    const { jobs, onEnded } = this.#options;
    const job = await jobs.get(id).catch(() => null); // another version's record: processes that know it end it
    if (job === null || job.createdAtMs > acceptedBy) return false;
    if (job.ending === null && (await jobs.finish(id, ending))) await onEnded(job);
    return (await this.#queue(model).remove(id)) === 1;
  }

  #queue(model: string): Queue {
    const open = this.#queues.get(model);
    if (open !== undefined) return open;
    const { redis: connection, prefix } = this.#options;
    const queue = new Queue(generateQueueName(model), { connection, prefix });
    queue.on('error', this.#options.onError);
    this.#queues.set(model, queue);
    return queue;
  }
}

/** Which jobs of a queue have waited too long, and their ending. */
interface Overdue {
  readonly model: string;
  readonly acceptedBy: number;
  readonly ending: Ending;
}

const unserved = (model: string, revision: string | undefined): Ending => ({
  status: 'failed',
  choices: [],
  usage: null,
  timings: {},
  error: {
    code: 'model_unavailable',
    message: `No worker serves ${model}${ofRevision(revision)} any more; submit the job again when one does`,
    stage: 'accept',
    item: null,
    retryable: true,
  },
});

const ofRevision = (revision: string | undefined): string =>
  revision === undefined ? '' : ` in revision ${revision}, which its name points to`;
