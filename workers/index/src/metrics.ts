import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds; from a look-up by id to an exact search of a large table in a bucket. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Operations that readers answer. */
const QUERIES = ['search', 'recommend', 'list', 'get', 'thumbnail'] as const;

/** What an index worker measures. */
export class IndexMetrics {
  readonly registry = new Registry();
  readonly #written = this.#counter('epd_index_rows_written_total', 'Rows added or changed');
  readonly #removed = this.#counter(
    'epd_index_rows_removed_total',
    'Rows removed because their embedding was deleted',
  );
  readonly #failures = this.#counter(
    'epd_index_failures_total',
    'Rounds of the writer that failed and were retried',
  );
  readonly #queries = new Histogram({
    name: 'epd_index_query_seconds',
    help: 'Time that an index worker takes for a query, without queue time',
    labelNames: ['op'],
    buckets: BUCKETS,
    registers: [this.registry],
  });
  readonly #batches = new Histogram({
    name: 'epd_index_batch_seconds',
    help: 'Time to write a batch of messages to the index',
    buckets: BUCKETS,
    registers: [this.registry],
  });
  readonly #lag = this.#gauge(
    'epd_index_lag_seconds',
    'Age of the oldest message of the last batch when its rows could be found; 0 with nothing to do',
  );
  readonly #rows = this.#gauge('epd_index_rows', 'Rows of all tables, including deletion marks');
  readonly #pending = this.#gauge(
    'epd_index_pending',
    'Images that callers sent and that are not encoded yet',
  );
  readonly #writer = this.#gauge('epd_index_writer', 'Whether this process is the elected writer');
  readonly #recall = this.#gauge(
    'epd_index_recall',
    'Recall at 10 of the last self-check of the approximate search against an exact one',
  );

  constructor() {
    for (const op of QUERIES) this.#queries.zero({ op });
  }

  query(op: string, ms: number): void {
    this.#queries.observe({ op }, ms / 1000);
  }

  batch(ms: number, lagMs: number): void {
    this.#batches.observe(ms / 1000);
    this.#lag.set(Math.max(0, lagMs) / 1000);
  }

  idle(): void {
    this.#lag.set(0);
  }

  changed(written: number, removed: number): void {
    this.#written.inc(written);
    this.#removed.inc(removed);
  }

  failed(): void {
    this.#failures.inc();
  }

  elected(elected: boolean): void {
    this.#writer.set(elected ? 1 : 0);
  }

  state({ rows, pending }: { readonly rows?: number; readonly pending?: number }): void {
    if (rows !== undefined) this.#rows.set(rows);
    if (pending !== undefined) this.#pending.set(pending);
  }

  recall(value: number): void {
    this.#recall.set(value);
  }

  #counter(name: string, help: string): Counter {
    return new Counter({ name, help, registers: [this.registry] });
  }

  #gauge(name: string, help: string): Gauge {
    return new Gauge({ name, help, registers: [this.registry] });
  }
}
