import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds; from a small model on a warm machine to a large cut image on a slow one. */
const BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Buckets of batch sizes. */
const BATCHES = [1, 2, 4, 8, 16, 32];

/** The outcome of an item that this encoder claimed. */
export type ItemOutcome = 'encoded' | 'stored_already' | 'saved_again' | 'failed' | 'handed_back';

/** The metrics of an encoder. */
export class EncoderMetrics {
  readonly registry = new Registry();
  readonly #encode = this.#histogram(
    'epd_encode_batch_seconds',
    'Time in the vision encoder by batch size, rounded up to a power of two',
    ['batch'],
  );
  readonly #preprocess = this.#histogram(
    'epd_encode_preprocess_seconds',
    'Time to fetch and preprocess an image',
  );
  readonly #queue = this.#histogram(
    'epd_encode_queue_seconds',
    'Time that an image was queued for an encoder, and then for the model',
  );
  readonly #items = this.#counter('epd_encode_items_total', 'Images by outcome', ['outcome']);
  readonly #failures = this.#counter(
    'epd_encode_failures_total',
    'Images that failed, by error code',
    ['code'],
  );
  readonly #redispatches = this.#counter(
    'epd_encode_redispatches_total',
    'Images claimed again after another encoder claimed them and did not finish them',
  );

  constructor() {
    // A series that starts above zero hides its first events from every rate.
    for (const batch of BATCHES) this.#encode.zero({ batch: String(batch) });
  }

  item(outcome: ItemOutcome): void {
    this.#items.inc({ outcome });
  }

  failure(code: string): void {
    this.#failures.inc({ code });
  }

  redispatched(): void {
    this.#redispatches.inc();
  }

  preprocessed(ms: number): void {
    this.#preprocess.observe(ms / 1000);
  }

  queued(ms: number): void {
    this.#queue.observe(ms / 1000);
  }

  /** Once per batch. */
  encoded(ms: number, batch: number): void {
    this.#encode.observe({ batch: String(2 ** Math.ceil(Math.log2(batch))) }, ms / 1000);
  }

  /** A gauge that is read on each scrape. */
  gauge(name: string, help: string, read: () => number): void {
    const collect = (): void => gauge.set(read());
    const gauge = new Gauge({ name, help, collect, registers: [this.registry] });
  }

  #histogram<L extends string>(name: string, help: string, labelNames: L[] = []): Histogram<L> {
    return new Histogram({ name, help, labelNames, buckets: BUCKETS, registers: [this.registry] });
  }

  #counter<L extends string>(name: string, help: string, labelNames: L[] = []): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }
}
