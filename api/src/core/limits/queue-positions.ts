import { waitingKey, type Job } from '@epd/jobs';
import type { Redis } from 'ioredis';
import type { Throughput } from './throughput.ts';

export interface QueuePlace {
  /** Jobs that go first; 0: it is next. */
  readonly position: number;
  /** Null while there is nothing to judge by. */
  readonly estimated_start_s: number | null;
}

/** Where jobs stand that no worker has taken up. */
export class QueuePositions {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #throughput: Throughput;

  constructor(redis: Redis, prefix: string, throughput: Throughput) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#throughput = throughput;
  }

  /** Null: the job is not waiting for a worker. */
  async of({ id, status, request }: Job): Promise<QueuePlace | null> {
    if (status !== 'queued') return null;
    const position = await this.#redis.zrank(waitingKey(this.#prefix, request.model), id);
    return position === null ? null : this.at(position);
  }

  /** The place of a job that so many go before. */
  async at(position: number): Promise<QueuePlace> {
    const { jobsPerS } = await this.#throughput.look();
    const seconds = jobsPerS === null ? null : Math.round((position / jobsPerS) * 10) / 10;
    return { position, estimated_start_s: seconds };
  }
}
