import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectorError } from '@epd/connector';
import { isRedisOutage, type Logger } from '@epd/service';
import { HandBack } from './hand-back.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Tries until it works: Redis and the store come back, and what was encoded is not to be lost for
 * their absence. Ends by the signal, with `HandBack`, and by an error that trying again cannot mend.
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
      log.warn({ err: error, pauseMs }, `${what} failed; trying again`);
      await pause(pauseMs, signal);
    }
  }
}

/** Redis or the store is away, or takes no writes: anything else would go wrong again. */
const passes = (error: unknown): boolean =>
  error instanceof ConnectorError ? error.retryable : isRedisOutage(error);

/** Up to half of it by chance, so that encoders do not come back all at once. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const jittered = ms * (0.5 + Math.random() / 2);
  await sleep(jittered, undefined, { signal }).catch((cause: unknown) => {
    throw new HandBack('The encoder stops', 0, { cause });
  });
}
