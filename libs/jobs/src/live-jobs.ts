import { generateQueueName } from '@epd/connector';
import type { Redis } from 'ioredis';
import type { GenerateQueues } from './generate-queues.ts';
import { jobKeys, type JobKeys } from './job-keys.ts';
import type { JobStore } from './job-store.ts';
import type { Job } from './job.ts';
import { dropScript, keepScript, lookScript } from './live-scripts.ts';

export interface LiveJobsParts {
  readonly redis: Redis;
  readonly prefix: string;
  readonly jobs: Pick<JobStore, 'get'>;
  readonly queues: GenerateQueues;
  /** Called for each live job whose generate job was lost and is requeued. */
  readonly onLost?: ((id: string) => void) | undefined;
}

/** Jobs checked per round trip: a millisecond or two of the server's time. */
const PAGE = 100;
/** A younger job may have its record but not its queue entry yet. */
const GRACE_MS = 5_000;

/**
 * Finds live jobs that lack data which their record implies, a page at a time, and restores it.
 * Both the set of live jobs and the admission account name them: a job that one has lost is found
 * by the other.
 */
export class LiveJobs {
  readonly #parts: LiveJobsParts;
  readonly #keys: JobKeys;
  #rank = 0;
  #cursor = '0';

  constructor(parts: LiveJobsParts) {
    this.#parts = parts;
    this.#keys = jobKeys(parts.prefix);
  }

  /** The next page of ids that lack something. After the last it starts over. */
  async lacking(nowMs: number): Promise<readonly string[]> {
    return [...(await this.#lackingOfLive(nowMs)), ...(await this.#missingInLive())];
  }

  /**
   * Restores what the job lacks, or drops the remains of a job that ended. Throws `RecordError`.
   */
  async mend(id: string): Promise<void> {
    const job = await this.#parts.jobs.get(id);
    if (job === null || job.ending !== null) await this.#drop(id);
    else await this.#keep(job);
  }

  async #lackingOfLive(nowMs: number): Promise<string[]> {
    const { redis } = this.#parts;
    const old = nowMs - GRACE_MS;
    const page = ['LIMIT', this.#rank, PAGE] as const;
    const ids = await redis.zrangebyscore(this.#keys.live, 0, old, ...page);
    this.#rank = ids.length < PAGE ? 0 : this.#rank + PAGE;
    if (ids.length === 0) return [];
    const account = await redis.hmget(this.#keys.admission, ...ids.map((id) => `job:${id}`));
    const named = ids.flatMap((id, index) => [id, this.#queueOf(account[index] ?? '')]);
    const keys = [this.#keys.admission, this.#keys.deadlines];
    return (await lookScript(redis, keys, [this.#keys.record(''), ...named])) as string[];
  }

  /** Jobs that are in the account and not in the set of live jobs. */
  async #missingInLive(): Promise<string[]> {
    const { redis } = this.#parts;
    const { live, admission } = this.#keys;
    const [size, count] = await Promise.all([redis.zcard(live), redis.hget(admission, 'count')]);
    if (size >= Number(count ?? 0)) return [];
    const page = ['MATCH', 'job:*', 'COUNT', PAGE] as const;
    const [next, pairs] = await redis.hscan(admission, this.#cursor, ...page);
    this.#cursor = next;
    const ids = pairs.filter((_, at) => at % 2 === 0).map((field) => field.slice('job:'.length));
    if (ids.length === 0) return [];
    const scores = await redis.zmscore(live, ...ids);
    return ids.filter((_, at) => scores[at] === null);
  }

  /** An entry of the account is `<cost> <tenant> <model>`. */
  #queueOf(entry: string): string {
    const model = /^\d+ \S+ (.*)$/.exec(entry)?.[1];
    const queue = model === undefined ? '' : generateQueueName(model);
    return queue === '' ? '' : `${this.#parts.prefix}:${queue}`;
  }

  async #drop(id: string): Promise<void> {
    await dropScript(this.#parts.redis, this.#keysOf(id), [id]);
  }

  /**
   * A generate job is lost only if the record is live after the check of the queue: a worker ends
   * the record before it removes the job from its queue.
   */
  async #keep(job: Job): Promise<void> {
    const { id, request } = job;
    const { redis, queues, jobs, onLost } = this.#parts;
    await keepScript(redis, this.#keysOf(id), [id, request.model]);
    if (await queues.has(id, request.model)) return;
    const later = await jobs.get(id);
    if (later === null || later.ending !== null) return;
    if (await queues.putBack(job)) onLost?.(id);
  }

  #keysOf(id: string): string[] {
    const keys = this.#keys;
    return [keys.record(id), keys.live, keys.deadlines, keys.admission];
  }
}
