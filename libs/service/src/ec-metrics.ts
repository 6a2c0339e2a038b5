import { Counter, Histogram, type Registry } from 'prom-client';

/** Seconds; from a page of a local file up to a large embedding over a slow link. */
const STORE_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30];

/**
 * The metrics of the EC connector, with the same names in every service. Implements
 * `ConnectorMetrics` of `@epd/connector`, on which this package does not depend.
 */
export function ecMetrics(registry: Registry) {
  const counter = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Counter({ name, help, labelNames, registers: [registry] });
  const hits = counter('epd_ec_hits_total', 'Lookups that found an embedding', ['tier']);
  const misses = counter('epd_ec_misses_total', 'Lookups that found no usable embedding', [
    'reason',
  ]);
  const joins = counter(
    'epd_ec_joins_total',
    'Encode requests that joined an encode already requested (single flight)',
  );
  const requests = counter('epd_ec_requests_total', 'Encodes requested');
  const loaded = counter('epd_ec_loaded_bytes_total', 'Bytes of embeddings loaded', ['tier']);
  const skipped = counter(
    'epd_ec_events_skipped_total',
    'Completion events skipped because of an unknown version or shape',
    ['reason'],
  );
  const swept = counter('epd_ec_swept_total', 'Embeddings deleted by the sweeper', ['reason']);
  const bytes = counter(
    'epd_store_bytes_total',
    'Bytes of embeddings saved (put) and loaded (get)',
    ['op'],
  );
  const seconds = new Histogram({
    name: 'epd_store_seconds',
    help: 'Time to save an embedding durably (put) or to load it (get)',
    labelNames: ['op'],
    buckets: STORE_BUCKETS,
    registers: [registry],
  });
  // A series that starts above zero hides its first events from every rate.
  for (const op of ['put', 'get']) seconds.zero({ op });
  hits.inc({ tier: 'store' }, 0);
  misses.inc({ reason: 'absent' }, 0);
  return {
    hit: (tier: string): void => hits.inc({ tier }),
    miss: (reason: string): void => misses.inc({ reason }),
    saved: (size: number, ms: number): void => {
      bytes.inc({ op: 'put' }, size);
      seconds.observe({ op: 'put' }, ms / 1000);
    },
    loaded: (tier: string, size: number, ms: number): void => {
      loaded.inc({ tier }, size);
      bytes.inc({ op: 'get' }, size);
      seconds.observe({ op: 'get' }, ms / 1000);
    },
    joined: (): void => joins.inc(),
    requested: (): void => requests.inc(),
    eventSkipped: (reason: string): void => skipped.inc({ reason }),
    swept: (reason: string): void => swept.inc({ reason }),
  };
}
