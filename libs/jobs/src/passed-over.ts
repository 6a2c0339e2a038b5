import { LRUCache } from 'lru-cache';

/** Records of another version: who cannot read one passes it over for so long, and looks at those behind it. */
const PASSED_OVER_MS = 60_000;
/** A bound on memory: beyond, the oldest are looked at again sooner. */
const MOST = 100_000;

/** Ids that this process passes over for a while, so that they starve nobody behind them. */
export const passedOver = (): LRUCache<string, true> =>
  new LRUCache({ max: MOST, ttl: PASSED_OVER_MS });
