import { RATIOS_AT } from './served.ts';

/** How one load is put at one concurrency. */
export interface ServeStep {
  readonly concurrency: number;
  readonly rounds: number;
  /** In each round. */
  readonly requests: number;
}

const CONCURRENCY = [1, 4, 16, 64] as const;

/**
 * Enough requests for every reader to have two. A heavy model takes seconds for a picture: without
 * `full` it is asked once at one concurrency and once at the one that ratios are computed for.
 */
export function servePlan(
  { full }: { readonly full: boolean },
  heavy: boolean,
): readonly ServeStep[] {
  if (heavy && !full) {
    return [
      { concurrency: 1, rounds: 1, requests: 4 },
      { concurrency: RATIOS_AT, rounds: 1, requests: RATIOS_AT + 8 },
    ];
  }
  return CONCURRENCY.map((concurrency) => ({
    concurrency,
    rounds: concurrency === RATIOS_AT ? (full ? 5 : 3) : full ? 2 : 1,
    requests: Math.max(full ? 48 : 16, (full ? 4 : 2) * concurrency),
  }));
}
