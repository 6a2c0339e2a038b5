import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectorError } from '@epd/connector';
import { isRedisOutage, type Logger } from '@epd/service';
import { HandBack } from './hand-back.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Retries until it succeeds: Redis and the store come back, and an outage must not lose what was
 * encoded. Rejects with `HandBack` when the signal is aborted, and with an error that a retry
 * cannot fix.
 */
export async function persist<R>(
  what: string,
  attempt: () => Promise<R>,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Logger },
): Promise<R> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (!passes(error)) throw error;
      log.warn({ err: error, pauseMs }, `${what} failed; retrying`);
      await pause(pauseMs, signal);
    }
  }
}

/** Redis or the store is unavailable or refuses writes: any other error would recur. */
const passes = (error: unknown): boolean =>
  error instanceof ConnectorError ? error.retryable : isRedisOutage(error);

/** Up to half of it is random jitter, so that encoders do not retry all at once. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const jittered = ms * (0.5 + Math.random() / 2);
  await sleep(jittered, undefined, { signal }).catch((cause: unknown) => {
    throw new HandBack('The encoder stops', 0, { cause });
  });
}
