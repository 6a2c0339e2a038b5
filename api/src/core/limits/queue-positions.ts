import { waitingKey, type Job } from '@epd/jobs';
import type { Redis } from 'ioredis';
import type { Throughput } from './throughput.ts';

export interface QueuePlace {
  /** Jobs ahead of it; 0: it is next. */
  readonly position: number;
  /** Null while there is no data for an estimate. */
  readonly estimated_start_s: number | null;
}

/** Queue positions of jobs that no worker has claimed. */
export class QueuePositions {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #throughput: Throughput;

  constructor(redis: Redis, prefix: string, throughput: Throughput) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#throughput = throughput;
  }

  /** Null: the job is not queued. */
  async of({ id, status, request: { model } }: Job): Promise<QueuePlace | null> {
    if (status !== 'queued') return null;
    const position = await this.#redis.zrank(waitingKey(this.#prefix, model), id);
    return position === null ? null : this.at(model, position);
  }

  /** The place of a job of the model that so many go before, each of which costs what those that wait do. */
  async at(model: string, position: number): Promise<QueuePlace> {
    const { waiting, costPerS } = await this.#throughput.look(model);
    if (costPerS === null) return { position, estimated_start_s: null };
    const costAhead = position * (waiting.total / Math.max(1, waiting.count));
    return { position, estimated_start_s: Math.round((costAhead / costPerS) * 10) / 10 };
  }
}
