import closeWithGrace from 'close-with-grace';
import { createLogger, type Logger, type LogLevel } from './logger.ts';

/** Settings that cannot be used: a supervisor that starts the process again hears the same. EX_CONFIG of sysexits.h. */
export const EXIT_INVALID_CONFIG = 78;

export interface RunningService {
  /** Stops claiming work, finishes what it holds or returns it to the queue, closes connections. */
  stop(): Promise<void>;
}

export interface ServiceContext<C> {
  readonly config: C;
  readonly log: Logger;
  /** Aborted when the process is asked to stop, also during start-up. */
  readonly signal: AbortSignal;
  /**
   * Exits the process, after `stop`, with exit code 1: for a part that died and cannot be
   * restarted.
   */
  readonly fail: (error: Error) => void;
}

export interface Service<C> {
  readonly name: string;
  /** Reads the environment: `() => readConfig(schema)`, with `fleetConfig.service` in the schema. */
  readonly config: () => C;
  readonly start: (context: ServiceContext<C>) => Promise<RunningService>;
}

/**
 * The main of a process. Stops on SIGTERM, SIGINT, an uncaught error, and when the parent of its
 * IPC channel is gone, so that a killed launcher leaves no processes behind. The stop is bounded by
 * `config.stopMs`. Exit code 0 when asked to stop, `EXIT_INVALID_CONFIG` for settings that cannot be used,
 * 1 otherwise.
 */
export function runService<C extends { readonly logLevel: LogLevel; readonly stopMs: number }>(
  service: Service<C>,
): void {
  const config = configOrComplaint(service);
  if (config) run(service, config);
}

function configOrComplaint<C>({ name, config }: Service<C>): C | null {
  try {
    return config();
  } catch (error) {
    complain(name, error);
    process.exitCode = EXIT_INVALID_CONFIG;
    return null;
  }
}

/**
 * An operator may be at the terminal when a start fails: prints text, with a stack only where it
 * helps.
 */
function complain(name: string, error: unknown): void {
  const text = error instanceof Error && !explainsItself(error) ? error.stack : messageOf(error);
  process.stderr.write(`${name} cannot start. ${text}\n`);
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** An error with a code is one that was foreseen, here or by the system; Node's own are of misuse. */
function explainsItself(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' && !code.startsWith('ERR_');
}

function run<C extends { readonly logLevel: LogLevel; readonly stopMs: number }>(
  service: Service<C>,
  config: C,
): void {
  const log = createLogger({ service: service.name, level: config.logLevel });
  const abort = new AbortController();
  let failure: Error | undefined;
  let isSaid = false;
  const grace = closeWithGrace(
    { delay: config.stopMs, logger: graceLogger(log, () => isSaid) },
    async ({ signal, err }) => {
      if (err) log.fatal({ err }, 'uncaught error');
      log.info({ signal }, 'stopping');
      abort.abort();
      const running = await started.catch(() => null);
      await running?.stop();
      if (failure) throw failure;
      log.info('stopped');
    },
  );
  const fail = (error: Error): void => {
    failure ??= error;
    grace.close();
  };
  process.once('disconnect', () => grace.close());
  const started = service.start({ config, log, signal: abort.signal, fail });
  started.then(
    () => log.info('started'),
    (error: unknown) => {
      if (abort.signal.aborted) return;
      complain(service.name, error);
      isSaid = explainsItself(error);
      fail(error instanceof Error ? error : new Error(String(error)));
    },
  );
}

/** An error that was printed already is not logged again with a stack. */
function graceLogger(log: Logger, isSaid: () => boolean): { error(message: unknown): void } {
  return {
    error: (message) => {
      if (!(message instanceof Error)) log.error(String(message));
      else if (!isSaid()) log.fatal({ err: message }, 'stopped by an error');
    },
  };
}
