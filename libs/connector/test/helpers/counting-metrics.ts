import { NO_METRICS, type ConnectorMetrics } from '../../src/index.ts';

/** Counts calls by method and label, such as `miss:absent`. */
export function countingMetrics(): { metrics: ConnectorMetrics; counts: Map<string, number> } {
  const counts = new Map<string, number>();
  const count = (name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);
  const metrics: ConnectorMetrics = {
    ...NO_METRICS,
    hit: (where) => count(`hit:${where}`),
    miss: (reason) => count(`miss:${reason}`),
    saved: () => count('saved'),
    loaded: (tier) => count(`loaded:${tier}`),
    joined: () => count('joined'),
    requested: () => count('requested'),
    eventSkipped: (reason) => count(`skipped:${reason}`),
    swept: (reason) => count(`swept:${reason}`),
  };
  return { metrics, counts };
}
