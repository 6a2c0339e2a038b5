import { Redis } from 'ioredis';
import { batchWrites } from './batched-writes.ts';
import { RedisUnavailableError } from './errors.ts';
import { withoutPassword, type Logger } from './logger.ts';

/**
 * Maximum reconnect delay: long enough to spare a server that comes back, short enough to go
 * unnoticed.
 */
const RECONNECT_MS_MAX = 2_000;

/**
 * A reply that takes longer never arrives: firewalls and dead hosts drop a connection silently.
 * Above the blocking reads of BullMQ and ours, which take 10 s at most.
 */
const SILENT_MS = 20_000;

/**
 * After a failover the old primary answers this until the client reconnects. Redis before 7 puts it
 * inside the error of the script: "ERR Error running script (…): @user_script:1: -READONLY You
 * can't write …".
 */
const isReadOnly = ({ message }: Error): boolean => /(^|[-: ])READONLY /.test(message);

/** The options that BullMQ requires of its connections, and unlimited reconnection. */
export function redisOptions(name: string) {
  return {
    connectionName: name,
    // BullMQ requires this: a blocking command outlives every retry limit.
    maxRetriesPerRequest: null,
    socketTimeout: SILENT_MS,
    retryStrategy: (attempt: number): number => Math.min(50 * 2 ** (attempt - 1), RECONNECT_MS_MAX),
    reconnectOnError: isReadOnly,
  };
}

/**
 * A connection that reconnects by itself; commands wait while it is down. Logs when Redis is
 * connected and when it is lost, once each, not once per attempt. `name` appears in CLIENT LIST; no
 * spaces.
 */
export function connectRedis(
  url: string,
  options: { readonly name: string; readonly log?: Logger },
): Redis {
  const redis = batchWrites(new Redis(url, redisOptions(options.name)), 'tick');
  logChanges(redis, withoutPassword(url), options);
  return redis;
}

function logChanges(
  redis: Redis,
  url: string,
  { name, log }: { readonly name: string; readonly log?: Logger },
): void {
  let told: 'nothing' | 'up' | 'down' = 'nothing';
  const down = (err?: Error): void => {
    if (told === 'down') return;
    told = 'down';
    log?.warn({ err, redis: url, connection: name }, 'Redis is unreachable; retrying');
  };
  redis.on('ready', () => {
    if (told !== 'up') log?.info({ redis: url, connection: name }, 'Redis connected');
    told = 'up';
  });
  // Without a listener ioredis prints every failed attempt to the console.
  redis.on('error', down);
  redis.on('reconnecting', () => down());
}

/**
 * Resolves when Redis responds. Throws RedisUnavailableError after `withinMs`, and when aborted.
 * With `Infinity` it waits without a limit, as a process of the fleet does at start-up.
 */
export async function waitForRedis(
  redis: Redis,
  { withinMs = 10_000, signal }: { readonly withinMs?: number; readonly signal?: AbortSignal } = {},
): Promise<void> {
  let last: unknown;
  const remember = (error: unknown): void => {
    last = error;
  };
  redis.on('error', remember);
  const late = Number.isFinite(withinMs) ? [AbortSignal.timeout(withinMs)] : [];
  const limit = AbortSignal.any([...late, ...(signal ? [signal] : [])]);
  try {
    await Promise.race([redis.ping(), aborted(limit)]);
  } catch (error) {
    throw new RedisUnavailableError(address(redis), withinMs, last ?? error);
  } finally {
    redis.off('error', remember);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const end = (): void => reject(new Error('no answer', { cause: signal.reason }));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

function address({ options }: Redis): string {
  return options.path ?? `${options.host ?? '127.0.0.1'}:${options.port ?? 6379}`;
}
