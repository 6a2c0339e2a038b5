import { setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';
import { RateLimitError } from './answer-error.ts';
import { HubError, type HubErrorCode } from './errors.ts';

/** Pauses between tries, in milliseconds: they double from the first to the longest. */
const PAUSE_MS = { first: 500, longest: 30_000 };
/** Tries after the first: about a minute and a half of pauses. */
const RETRIES = 8;

/**
 * Tries again what failed with one of `codes`. A server that says when to come again is obeyed, unless it
 * asks for longer than a user should sit before a silent screen.
 */
export async function withRetries<T>(
  work: () => Promise<T>,
  codes: readonly HubErrorCode[],
  signal?: AbortSignal,
): Promise<T> {
  return pRetry(work, {
    retries: RETRIES,
    minTimeout: PAUSE_MS.first,
    maxTimeout: PAUSE_MS.longest,
    ...(signal ? { signal } : {}),
    shouldRetry: ({ error }) =>
      error instanceof HubError && codes.includes(error.code) && waitOf(error) <= PAUSE_MS.longest,
    onFailedAttempt: async ({ error }) => {
      if (waitOf(error) <= PAUSE_MS.longest)
        await sleep(waitOf(error), undefined, signal && { signal });
    },
  });
}

/** What the server asked to wait, in milliseconds. */
const waitOf = (error: Error): number =>
  error instanceof RateLimitError ? (error.retryAfterMs ?? 0) : 0;
