import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Engine, EngineEvent } from './engine/index.ts';
import type { Takeover } from './job/generate-processor.ts';

/** Seconds; from a warm text prompt on a GPU to a cold image behind a queue on a CPU. */
const TTFT_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** Seconds per token; 20 ms is smooth reading, 200 ms is slow. */
const TPOT_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
const WAIT_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300];

/** The metrics of a PD worker: gauges are read from the engine on each scrape. */
export function addMetrics(registry: Registry, engine: Engine): void {
  const observe = histograms(registry);
  const counts = counters(registry);
  gauges(registry, engine);
  engine.on((event) => {
    if (event.type === 'tokens') counts.generated.inc(event.ids.length);
    else if (event.type === 'finished') observe(event);
    else if (event.type === 'failed') counts.failed.inc({ code: event.error.code });
  });
}

/** Counts claims of jobs that another worker had, by how that worker released them. */
export function takeoverCount(registry: Registry): (after: Takeover) => void {
  const count = new Counter({
    name: 'epd_job_takeovers_total',
    help: 'Jobs claimed from another worker: after it returned them to the queue, or was lost with them',
    labelNames: ['after'],
    registers: [registry],
  });
  // A series that starts above zero hides its first events from every rate.
  for (const after of ['hand_back', 'loss'] satisfies Takeover[]) count.inc({ after }, 0);
  return (after) => count.inc({ after });
}

function histograms(registry: Registry) {
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name, help, buckets, registers: [registry] });
  const ttft = histogram(
    'epd_ttft_seconds',
    'Time to first token (TTFT): from accepting a request to its first token',
    TTFT_BUCKETS,
  );
  const tpot = histogram(
    'epd_tpot_seconds',
    'Mean time per output token (TPOT) after the first',
    TPOT_BUCKETS,
  );
  const queue = histogram(
    'epd_queue_seconds',
    'Time that a request was queued for a worker and then for a KV slot',
    WAIT_BUCKETS,
  );
  const wait = histogram(
    'epd_embedding_wait_seconds',
    'Time that prefill was blocked waiting for an image embedding',
    WAIT_BUCKETS,
  );
  return ({ timings }: Extract<EngineEvent, { type: 'finished' }>): void => {
    const pairs = [
      [ttft, timings.ttftMs],
      [tpot, timings.tpotMs],
      [queue, timings.queueMs],
      [wait, timings.waitForEmbeddingsMs],
    ] as const;
    for (const [metric, ms] of pairs) if (ms !== undefined) metric.observe(ms / 1000);
  };
}

function counters(registry: Registry) {
  const registers = [registry];
  return {
    generated: new Counter({
      name: 'epd_generated_tokens_total',
      help: 'Tokens emitted',
      registers,
    }),
    failed: new Counter({
      name: 'epd_engine_failures_total',
      help: 'Requests that failed in the engine, by error code',
      labelNames: ['code'],
      registers,
    }),
  };
}

type Stats = ReturnType<Engine['stats']>;

/** The engine counts by itself; its value replaces the previous one. */
function gauges(registry: Registry, engine: Engine): void {
  const gauge = (name: string, help: string, read: (stats: Stats) => number): void => {
    const made: Gauge = new Gauge({
      name,
      help,
      registers: [],
      collect: (): void => made.set(read(engine.stats())),
    });
    registry.registerMetric(made);
  };
  const total = (name: string, help: string, read: (stats: Stats) => number): void => {
    const collect = (): void => {
      made.reset();
      made.inc(read(engine.stats()));
    };
    const made: Counter = new Counter({ name, help, registers: [], collect });
    registry.registerMetric(made);
  };
  gauge('epd_batch_rows', 'Sequences in the last decode step', (stats) => stats.batchOccupancy);
  gauge(
    'epd_decoder_graph_rewritten',
    'Whether the decoder graph was rewritten (1) or runs as exported (0), which is slower',
    (stats) => Number(stats.graphRewritten),
  );
  gauge('epd_kv_slots_used', 'KV slots in use', (stats) => stats.slotsUsed);
  total(
    'epd_prefix_hit_tokens_total',
    'Prompt tokens served from the prefix cache',
    (stats) => stats.prefixHitTokens,
  );
  total(
    'epd_preemptions_total',
    'Sequences preempted because KV cache memory ran out',
    (stats) => stats.preemptions,
  );
  total(
    'epd_draft_tokens_total',
    'Tokens drafted for answers that copy, and verified',
    (stats) => stats.drafts.computed,
  );
  total(
    'epd_draft_tokens_accepted_total',
    'Drafted tokens that answers kept',
    (stats) => stats.drafts.kept,
  );
  total('epd_engine_steps_total', 'Engine steps run', (stats) => stats.steps);
  sequences(registry, engine);
  kvBytes(registry, engine);
}

function sequences(registry: Registry, engine: Engine): void {
  const collect = (): void => {
    const { waiting, running, waitingForEmbeddings } = engine.stats();
    made.set({ state: 'waiting' }, waiting);
    made.set({ state: 'running' }, running);
    made.set({ state: 'waiting_for_embeddings' }, waitingForEmbeddings);
  };
  const made: Gauge<'state'> = new Gauge({
    name: 'epd_sequences',
    help: 'Sequences by state',
    labelNames: ['state'],
    registers: [],
    collect,
  });
  registry.registerMetric(made);
}

function kvBytes(registry: Registry, engine: Engine): void {
  const collect = (): void => {
    const { kvBytes: all, cachedPrefixBytes: prefixes } = engine.stats();
    made.set({ state: 'slots' }, all - prefixes);
    made.set({ state: 'parked' }, prefixes);
  };
  const made: Gauge<'state'> = new Gauge({
    name: 'epd_kv_bytes',
    help: 'KV cache memory in bytes: slots, and cached prefix blocks (state "parked")',
    labelNames: ['state'],
    registers: [],
    collect,
  });
  registry.registerMetric(made);
}
