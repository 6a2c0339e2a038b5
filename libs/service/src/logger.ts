import { pino, type DestinationStream, type Logger } from 'pino';
import { loggedError } from './logged-error.ts';

export type { Logger } from 'pino';
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

const SECRETS = ['authorization', 'apiKey', 'password', 'secret', 'secretAccessKey'];

/**
 * JSON lines with the level by name and the time in ISO form. Fields named like a secret are
 * redacted at the top and one and two levels down; the caller must clean URLs (`withoutPassword`).
 * Errors (`err`) are reduced to the fields of `loggedError`.
 */
export function createLogger(options: {
  readonly service: string;
  readonly level?: LogLevel;
  /** Standard output unless given. */
  readonly destination?: DestinationStream;
}): Logger {
  return pino(
    {
      level: options.level ?? 'info',
      base: { service: options.service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: {
        err: (error: unknown) => (error instanceof Error ? loggedError(error) : error),
      },
      redact: {
        paths: SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
        censor: '(hidden)',
      },
    },
    options.destination ?? pino.destination({ dest: 1, sync: true }),
  );
}

/** A URL that is safe to show. Other text is hidden, because it may contain anything. */
export function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return '(not a URL)';
  const parsed = new URL(url);
  if (!parsed.host) return '(not a URL)';
  if (parsed.password) parsed.password = '***';
  return parsed.href;
}
