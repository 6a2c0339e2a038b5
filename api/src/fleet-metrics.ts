import { encodeQueueName, generateQueueName, type EncodeJob } from '@epd/connector';
import { RedisModelRegistry, jobKeys } from '@epd/jobs';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { Counter, Gauge, type Registry } from 'prom-client';
import { QueueCost } from './limits/queue-cost.ts';

/** Waiting encodes whose cost is read; past them the mean is taken for the rest. */
const SAMPLED = 200;
/** Delayed ones too: those that were handed back wait for an encoder that may not be there yet. */
const WAITING: ('wait' | 'prioritized' | 'delayed')[] = ['wait', 'prioritized', 'delayed'];
/** Scrapes of several Prometheus servers share one look. */
const FRESH_MS = 1_000;

interface QueueLook {
  readonly stage: 'encode' | 'generate';
  readonly model: string;
  readonly jobs: number;
  /** Visual tokens of images; of generate jobs what they were let in for, prompt and longest answer. */
  readonly costTokens: number;
}

export interface FleetLook {
  readonly queues: readonly QueueLook[];
  readonly live: number;
  readonly ended: Readonly<Record<string, number>>;
}

/**
 * What Redis knows of the whole fleet. Every replica of the API tells the same, so that whoever adds
 * up takes the largest of them and not the sum.
 */
export class FleetLookout {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #registry: RedisModelRegistry;
  readonly #cost: QueueCost;
  readonly #queues = new Map<string, Queue<EncodeJob>>();
  #last: { readonly atMs: number; readonly look: Promise<FleetLook> } | null = null;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#registry = new RedisModelRegistry(redis, prefix);
    this.#cost = new QueueCost(redis, prefix);
  }

  look(): Promise<FleetLook> {
    const nowMs = Date.now();
    if (this.#last === null || nowMs - this.#last.atMs >= FRESH_MS) {
      this.#last = { atMs: nowMs, look: this.#look() };
    }
    return this.#last.look;
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#queues.values(), (queue) => queue.close()));
  }

  async #look(): Promise<FleetLook> {
    const keys = jobKeys(this.#prefix);
    const models = await this.#registry.models();
    const [live, ended, ...queues] = await Promise.all([
      this.#redis.zcard(keys.live),
      this.#redis.hgetall(keys.totals),
      ...models.flatMap(({ id }) => [this.#encodes(id), this.#generates(id)]),
    ]);
    const counts = Object.entries(ended).map(([status, count]) => [status, Number(count)] as const);
    return { queues, live, ended: Object.fromEntries(counts) };
  }

  async #encodes(model: string): Promise<QueueLook> {
    const queue = this.#queue(encodeQueueName(model));
    const jobs = await this.#waiting(queue);
    const sample = jobs === 0 ? [] : await queue.getJobs(WAITING, 0, SAMPLED - 1);
    // A job may be taken up and gone between the two looks.
    const costs = sample.filter(Boolean).map(({ data }) => data.tokens);
    const mean = costs.length === 0 ? 0 : costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
    return { stage: 'encode', model, jobs, costTokens: Math.round(mean * jobs) };
  }

  async #generates(model: string): Promise<QueueLook> {
    const [jobs, costTokens] = await Promise.all([
      this.#waiting(this.#queue(generateQueueName(model))),
      this.#cost.waiting(model),
    ]);
    return { stage: 'generate', model, jobs, costTokens };
  }

  async #waiting(queue: Queue<EncodeJob>): Promise<number> {
    const counts = await queue.getJobCounts(...WAITING);
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  }

  #queue(name: string): Queue<EncodeJob> {
    const open = this.#queues.get(name);
    if (open !== undefined) return open;
    const queue = new Queue<EncodeJob>(name, { connection: this.#redis, prefix: this.#prefix });
    queue.on('error', () => undefined); // the look that fails says so
    this.#queues.set(name, queue);
    return queue;
  }
}

/** Feeds the registry from the lookout, at each scrape. While Redis is away there are no figures. */
export function installFleetMetrics(registry: Registry, lookout: Pick<FleetLookout, 'look'>): void {
  const look = (): Promise<FleetLook | null> => lookout.look().catch(() => null);
  queueGauge(registry, look, {
    name: 'epd_queue_jobs',
    help: 'Jobs that no worker has taken up; alike in every replica',
    value: ({ jobs }) => jobs,
  });
  queueGauge(registry, look, {
    name: 'epd_queue_cost_tokens',
    help: 'Tokens that no worker has taken up: of images (encode), of prompts and their longest answers (generate); alike in every replica',
    value: ({ costTokens }) => costTokens,
  });
  // With a label that it never has: without labels it would tell 0 while nothing is known.
  const live: Gauge = new Gauge({
    name: 'epd_jobs_live',
    help: 'Jobs that were accepted and have not ended; alike in every replica',
    labelNames: ['none'],
    registers: [registry],
    collect: async () => {
      const found = await look();
      live.reset();
      if (found !== null) live.set(found.live);
    },
  });
  const ended: Counter<'status'> = new Counter({
    name: 'epd_jobs_ended_total',
    help: 'Jobs that have ended, by terminal state; alike in every replica',
    labelNames: ['status'],
    registers: [registry],
    collect: async () => {
      const found = await look();
      ended.reset();
      if (found === null) return;
      for (const status of STATUSES) ended.inc({ status }, found.ended[status] ?? 0);
    },
  });
}

/** Named from the start, so that the first of a kind is seen as an increase. */
const STATUSES = ['completed', 'failed', 'cancelled', 'expired'] as const;

function queueGauge(
  registry: Registry,
  look: () => Promise<FleetLook | null>,
  options: {
    readonly name: string;
    readonly help: string;
    readonly value: (queue: QueueLook) => number;
  },
): void {
  const { name, help } = options;
  const gauge: Gauge<'stage' | 'model'> = new Gauge({
    name,
    help,
    labelNames: ['stage', 'model'],
    registers: [registry],
    collect: async () => {
      const found = await look();
      gauge.reset();
      for (const queue of found?.queues ?? []) {
        gauge.set({ stage: queue.stage, model: queue.model }, options.value(queue));
      }
    },
  });
}
