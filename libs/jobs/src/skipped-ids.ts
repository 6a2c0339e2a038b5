import { LRUCache } from 'lru-cache';

/**
 * Records of another version: a process that cannot read one skips it for this long and processes
 * those after it.
 */
const PASSED_OVER_MS = 60_000;
/** Bounds memory: beyond it, the oldest are checked again sooner. */
const MOST = 100_000;

/** Ids that this process skips for a while, so that they do not starve those after them. */
export const skippedIds = (): LRUCache<string, true> =>
  new LRUCache({ max: MOST, ttl: PASSED_OVER_MS });
