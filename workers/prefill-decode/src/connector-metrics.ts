import type { ConnectorMetrics } from '@epd/connector';
import { Counter, Histogram, type Registry } from 'prom-client';

/** Seconds; a page of a local file up to a large embedding over a slow link. */
const LOAD_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/** What the connector counts on a PD worker's side. */
export function connectorMetrics(registry: Registry): ConnectorMetrics {
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name, help, labelNames, registers: [registry] });
  const hits = counter('epd_ec_hits_total', 'Looks that found an embedding', ['tier']);
  const misses = counter('epd_ec_misses_total', 'Looks that found nothing usable', ['reason']);
  const joins = counter('epd_ec_joins_total', 'Encodes wanted that somebody had asked for already');
  const requests = counter('epd_ec_requests_total', 'Encodes asked for');
  const bytes = counter('epd_ec_loaded_bytes_total', 'Bytes of embeddings loaded', ['tier']);
  const skipped = counter('epd_ec_events_skipped_total', 'Completion events passed over', [
    'reason',
  ]);
  const seconds = new Histogram({
    name: 'epd_ec_load_seconds',
    help: 'Time to load an embedding',
    labelNames: ['tier'],
    buckets: LOAD_BUCKETS,
    registers: [registry],
  });
  return {
    hit: (tier) => hits.inc({ tier }),
    miss: (reason) => misses.inc({ reason }),
    saved: () => undefined, // a consumer saves nothing
    loaded: (tier, size, ms) => {
      bytes.inc({ tier }, size);
      seconds.observe({ tier }, ms / 1000);
    },
    joined: () => joins.inc(),
    requested: () => requests.inc(),
    eventSkipped: (reason) => skipped.inc({ reason }),
    swept: () => undefined, // the sweeper runs elsewhere
  };
}
