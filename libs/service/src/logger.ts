import {
  pino,
  type Bindings,
  type ChildLoggerOptions,
  type DestinationStream,
  type Logger,
} from 'pino';
import { hideSecrets } from './hide-secrets.ts';
import { loggedError } from './logged-error.ts';

export type { Logger } from 'pino';
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

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
  const logger = pino(
    {
      level: options.level ?? 'info',
      base: { service: options.service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: hideSecrets,
      },
      serializers: {
        err: (error: unknown) => (error instanceof Error ? loggedError(error) : error),
      },
    },
    options.destination ?? pino.destination({ dest: 1, sync: true }),
  );
  return hidingOfChildren(logger);
}

type MakeChild = (this: Logger, bindings: Bindings, options?: ChildLoggerOptions) => Logger;

/** Children format their own fields, but not those that they are made with; they inherit this. */
function hidingOfChildren(logger: Logger): Logger {
  const { child: own } = logger as unknown as { readonly child: MakeChild };
  const child: MakeChild = function (bindings, options) {
    return own.call(this, hideSecrets(bindings), options);
  };
  return Object.assign(logger, { child });
}

/** A URL that is safe to show. Other text is hidden, because it may contain anything. */
export function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return '(not a URL)';
  const parsed = new URL(url);
  if (!parsed.host) return '(not a URL)';
  if (parsed.password) parsed.password = '***';
  return parsed.href;
}
