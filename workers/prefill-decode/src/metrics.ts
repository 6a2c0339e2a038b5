import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Engine, EngineEvent } from './engine/index.ts';
import type { Takeover } from './job/generate-processor.ts';

/** Seconds; from a warm text prompt on a GPU to a cold picture behind a queue on a CPU. */
const TTFT_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** Seconds per token; 20 ms is smooth reading, 200 ms is slow. */
const TPOT_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
const WAIT_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300];

/** What a PD worker measures: gauges are read from the engine when somebody asks. */
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

/** Counts jobs that were others' before, by how those let go of them. */
export function takeoverCount(registry: Registry): (after: Takeover) => void {
  const count = new Counter({
    name: 'epd_job_takeovers_total',
    help: 'Jobs taken up that another worker had: after it handed them back, or was lost with them',
    labelNames: ['after'],
    registers: [registry],
  });
  // A series that begins above nought hides its first events from every rate.
  for (const after of ['hand_back', 'loss'] satisfies Takeover[]) count.inc({ after }, 0);
  return (after) => count.inc({ after });
}

function histograms(registry: Registry) {
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name, help, buckets, registers: [registry] });
  const ttft = histogram(
    'epd_ttft_seconds',
    'Time from accepting a request to its first token',
    TTFT_BUCKETS,
  );
  const tpot = histogram(
    'epd_tpot_seconds',
    'Mean time per output token after the first',
    TPOT_BUCKETS,
  );
  const queue = histogram(
    'epd_queue_seconds',
    'Time that a request waited for a worker and then for a slot',
    WAIT_BUCKETS,
  );
  const wait = histogram(
    'epd_embedding_wait_seconds',
    'Time that prefill stood still for want of an embedding',
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
      help: 'Requests that the engine could not answer, by code',
      labelNames: ['code'],
      registers,
    }),
  };
}

type Stats = ReturnType<Engine['stats']>;

/** The engine counts for itself; what it says replaces what was there. */
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
    'Whether the decoder runs rewritten (1), or as exported (0), which is slower',
    (stats) => Number(stats.graphRewritten),
  );
  gauge('epd_kv_slots_used', 'KV slots in use', (stats) => stats.slotsUsed);
  total(
    'epd_prefix_hit_tokens_total',
    'Prompt tokens whose KV was there already',
    (stats) => stats.prefixHitTokens,
  );
  total(
    'epd_preemptions_total',
    'Sequences put back for want of KV memory',
    (stats) => stats.preemptions,
  );
  total('epd_engine_steps_total', 'Steps run', (stats) => stats.steps);
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
    help: 'Sequences by what they do',
    labelNames: ['state'],
    registers: [],
    collect,
  });
  registry.registerMetric(made);
}

function kvBytes(registry: Registry, engine: Engine): void {
  const collect = (): void => {
    const { kvBytes: all, parkedBytes: parked } = engine.stats();
    made.set({ state: 'slots' }, all - parked);
    made.set({ state: 'parked' }, parked);
  };
  const made: Gauge<'state'> = new Gauge({
    name: 'epd_kv_bytes',
    help: 'Memory of KV slots and of parked prefixes',
    labelNames: ['state'],
    registers: [],
    collect,
  });
  registry.registerMetric(made);
}
