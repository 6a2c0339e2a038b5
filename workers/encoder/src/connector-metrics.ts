import type { ConnectorMetrics } from '@epd/connector';
import { NO_METRICS } from '@epd/connector';
import { Counter, type Registry } from 'prom-client';

/** What the connector counts on an encoder's side. */
export function connectorMetrics(registry: Registry): ConnectorMetrics {
  const registers = [registry];
  const lookups = new Counter({
    name: 'epd_embedding_lookups_total',
    help: 'Looks for an embedding by what was found',
    labelNames: ['found'],
    registers,
  });
  const bytes = new Counter({
    name: 'epd_embedding_saved_bytes_total',
    help: 'Bytes of the embeddings saved',
    registers,
  });
  return {
    ...NO_METRICS,
    hit: (where) => lookups.inc({ found: where }),
    miss: (reason) => lookups.inc({ found: reason }),
    saved: (size) => bytes.inc(size),
  };
}
