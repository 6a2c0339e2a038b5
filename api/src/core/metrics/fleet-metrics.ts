import { RedisModelRegistry, type WorkerRole } from '@epd/fleet';
import { jobKeys } from '@epd/jobs';
import type { Redis } from 'ioredis';
import { Counter, Gauge, type Registry } from 'prom-client';
import { QueueLoads, type QueueLoad } from '../limits/queue-loads.ts';

/** Scrapes of several Prometheus servers share one query. */
const FRESH_MS = 1_000;

interface QueueLook extends QueueLoad {
  readonly stage: 'encode' | 'generate';
  readonly model: string;
}

interface WorkersLook {
  readonly role: WorkerRole;
  readonly model: string;
  readonly count: number;
}

export interface FleetLook {
  readonly queues: readonly QueueLook[];
  /** Live workers; of prefill/decode workers those of the revision that the model's name points to. */
  readonly workers: readonly WorkersLook[];
  readonly live: number;
  readonly ended: Readonly<Record<string, number>>;
  /** Keys that Redis evicted since it started. */
  readonly evictedKeys: number;
}

/**
 * What Redis knows about the whole fleet. Every replica of the API reports the same, so aggregate
 * with the maximum and not the sum.
 */
export class FleetLookout {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #registry: RedisModelRegistry;
  readonly #loads: QueueLoads;
  #last: { readonly atMs: number; readonly look: Promise<FleetLook> } | null = null;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#registry = new RedisModelRegistry(redis, prefix);
    this.#loads = new QueueLoads(redis, prefix);
  }

  look(): Promise<FleetLook> {
    const nowMs = performance.now();
    if (this.#last === null || nowMs - this.#last.atMs >= FRESH_MS) {
      this.#last = { atMs: nowMs, look: this.#look() };
    }
    return this.#last.look;
  }

  async #look(): Promise<FleetLook> {
    const keys = jobKeys(this.#prefix);
    const models = await this.#registry.models();
    const [live, ended, stats, workers, ...queues] = await Promise.all([
      this.#redis.zcard(keys.live),
      this.#redis.hgetall(keys.totals),
      this.#redis.info('stats'),
      Promise.all(models.map(({ id }) => this.#workers(id))),
      ...models.flatMap(({ id }) => [this.#encodes(id), this.#generates(id)]),
    ]);
    const counts = Object.entries(ended).map(([status, count]) => [status, Number(count)] as const);
    const evictedKeys = Number(/^evicted_keys:(\d+)/m.exec(stats)?.[1] ?? 0);
    return {
      queues,
      workers: workers.flat(),
      live,
      ended: Object.fromEntries(counts),
      evictedKeys,
    };
  }

  async #workers(model: string): Promise<WorkersLook[]> {
    const { encoder, prefillDecode } = await this.#registry.workers(model);
    return [
      { role: 'encoder', model, count: encoder },
      { role: 'prefill-decode', model, count: prefillDecode },
    ];
  }

  async #encodes(model: string): Promise<QueueLook> {
    return { stage: 'encode', model, ...(await this.#loads.encodes(model)) };
  }

  async #generates(model: string): Promise<QueueLook> {
    return { stage: 'generate', model, ...(await this.#loads.generates(model)) };
  }
}

/** Updates the registry at each scrape. During an outage of Redis there are no values. */
export function installFleetMetrics(registry: Registry, lookout: Pick<FleetLookout, 'look'>): void {
  const look = (): Promise<FleetLook | null> => lookout.look().catch(() => null);
  queueGauge(registry, look, {
    name: 'epd_queue_jobs',
    help: 'Queued jobs that no worker has claimed; the same in every replica',
    value: ({ jobs }) => jobs,
  });
  queueGauge(registry, look, {
    name: 'epd_queue_cost_tokens',
    help: 'Queued cost in tokens that no worker has claimed: of images (encode), of prompts and their longest answers (generate); the same in every replica',
    value: ({ costTokens }) => costTokens,
  });
  evictedCounter(registry, look);
  workersGauge(registry, look);
  // With a label that never has a value: without labels it would report 0 while nothing is known.
  const live: Gauge = new Gauge({
    name: 'epd_jobs_live',
    help: 'Accepted jobs that have not ended; the same in every replica',
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
    help: 'Ended jobs, by terminal state; the same in every replica',
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

function evictedCounter(registry: Registry, look: () => Promise<FleetLook | null>): void {
  const evicted: Counter<'none'> = new Counter({
    name: 'epd_redis_evicted_keys_total',
    help: 'Keys that Redis evicted because it ran out of memory, which must be none; the same in every replica',
    labelNames: ['none'],
    registers: [registry],
    collect: async () => {
      const found = await look();
      evicted.reset();
      if (found !== null) evicted.inc(found.evictedKeys);
    },
  });
}

function workersGauge(registry: Registry, look: () => Promise<FleetLook | null>): void {
  const workers: Gauge<'role' | 'model'> = new Gauge({
    name: 'epd_workers',
    help: 'Live workers; of prefill/decode workers those of the serving revision. 0 with queued jobs means that no worker claims them; the same in every replica',
    labelNames: ['role', 'model'],
    registers: [registry],
    collect: async () => {
      const found = await look();
      workers.reset();
      for (const { role, model, count } of found?.workers ?? [])
        workers.set({ role, model }, count);
    },
  });
}

/** Initialized at the start, so that the first of a kind counts as an increase. */
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
