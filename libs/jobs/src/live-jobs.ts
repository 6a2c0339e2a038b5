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
  /** Called for each live job whose generate job was gone and is put back. */
  readonly onLost?: ((id: string) => void) | undefined;
}

/** Jobs looked at in one turn: a millisecond or two of the server's time. */
const PAGE = 100;
/** A job younger than this may still be between its record and its queue. */
const GRACE_MS = 5_000;

/**
 * Finds live jobs that lack what the record says they have, a page at a time, and restores it. The set of live
 * jobs and the account of admitted work both name them: what one of them has lost is found by the other.
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

  /** The next page of ids that lack something. Beyond the last it begins anew. */
  async lacking(nowMs: number): Promise<readonly string[]> {
    return [...(await this.#lackingOfLive(nowMs)), ...(await this.#missingInLive())];
  }

  /** Restores what the job lacks, or drops what is left of it. Throws `RecordError`. */
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

  /** What the account knows and the set of live jobs does not, where they differ at all. */
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
   * A generate job is gone only if the record is live after the queue was looked at: a worker ends the record
   * before it takes the job off its queue.
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
