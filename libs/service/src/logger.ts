import { pino, type DestinationStream, type Logger } from 'pino';
import { loggedError } from './logged-error.ts';

export type { Logger } from 'pino';
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

const SECRETS = ['authorization', 'apiKey', 'password', 'secret', 'secretAccessKey'];

/**
 * JSON lines with the level by name and the time in ISO form. Fields named like a secret are
 * replaced at the top and one and two levels down; URLs are the caller's to clean (`withoutPassword`).
 * Of errors (`err`) the fields of `loggedError` are written, whatever else hangs on them.
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

/** A URL as it may be shown. Not a URL: shown as nothing, for it may hold anything. */
export function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return '(not a URL)';
  const parsed = new URL(url);
  if (!parsed.host) return '(not a URL)';
  if (parsed.password) parsed.password = '***';
  return parsed.href;
}
