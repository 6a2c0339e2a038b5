import { Redis } from 'ioredis';
import { batchWrites } from './batched-writes.ts';
import { RedisUnavailableError } from './errors.ts';
import { withoutPassword, type Logger } from './logger.ts';

/** Long enough to spare a server that comes back, short enough that nobody notices the wait. */
const RECONNECT_MS_MAX = 2_000;

/**
 * A reply that takes longer never comes: the way to the server is cut without a word, as firewalls and
 * dead hosts do. Above what BullMQ's and our own blocking reads take, which is 10 s at most.
 */
const SILENT_MS = 20_000;

/**
 * After a failover the old primary answers so until the connection is made anew. Redis before 7 puts it inside the
 * error of the script: "ERR Error running script (…): @user_script:1: -READONLY You can't write …".
 */
const isReadOnly = ({ message }: Error): boolean => /(^|[-: ])READONLY /.test(message);

/** The options that BullMQ asks of its connections, and reconnection without an end. */
export function redisOptions(name: string) {
  return {
    connectionName: name,
    // BullMQ refuses anything else: a blocking command outlives every retry limit.
    maxRetriesPerRequest: null,
    socketTimeout: SILENT_MS,
    retryStrategy: (attempt: number): number => Math.min(50 * 2 ** (attempt - 1), RECONNECT_MS_MAX),
    reconnectOnError: isReadOnly,
  };
}

/**
 * A connection that comes back by itself; commands wait while it is down. Logs when Redis is there
 * and when it is gone, once each, not once per attempt. `name` shows in CLIENT LIST; no spaces.
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
    log?.warn({ err, redis: url, connection: name }, 'Redis is not reachable; retrying');
  };
  redis.on('ready', () => {
    if (told !== 'up') log?.info({ redis: url, connection: name }, 'Redis is connected');
    told = 'up';
  });
  // Without a listener ioredis writes every failed attempt to the console.
  redis.on('error', down);
  redis.on('reconnecting', () => down());
}

/**
 * Resolves when Redis answers. Throws RedisUnavailableError after `withinMs`, and when aborted. With
 * `Infinity` it waits as long as it takes, as a process of the fleet does at its start.
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
