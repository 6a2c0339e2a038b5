/**
 * Base of the errors that this package throws deliberately. Programming errors (TypeError and the
 * like) and errors of Redis commands are not in the family: they pass through unchanged.
 */
export abstract class ServiceError extends Error {
  abstract readonly code: string;
}

/** One invalid variable. `value` is absent when the variable is not set. */
export interface ConfigProblem {
  readonly variable: string;
  readonly expected: string;
  /** Safe to show: secrets are replaced. */
  readonly value?: string;
}

/** The environment is not a valid configuration. Carries every problem at once. */
export class ConfigError extends ServiceError {
  override readonly name = 'ConfigError';
  readonly code = 'config_invalid';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(`The configuration is invalid:${listed(problems)}`);
    this.problems = problems;
  }
}

/** Redis did not respond in time. `cause` is the last connection error, if any. */
export class RedisUnavailableError extends ServiceError {
  override readonly name = 'RedisUnavailableError';
  readonly code = 'redis_unavailable';
  readonly url: string;
  readonly waitedMs: number;

  constructor(url: string, waitedMs: number, cause?: unknown) {
    const reason = cause instanceof Error ? `: ${cause.message}` : '';
    super(`Redis at ${url} did not respond within ${waitedMs} ms${reason}`, { cause });
    this.url = url;
    this.waitedMs = waitedMs;
  }
}

/** One problem goes on the same line. */
const listed = (problems: readonly ConfigProblem[]): string =>
  problems.map((problem) => `${problems.length === 1 ? ' ' : '\n  '}${line(problem)}`).join('');

function line({ variable, expected, value }: ConfigProblem): string {
  const found = value === undefined ? 'it is not set' : `it is ${JSON.stringify(value)}`;
  return `${variable}: must be ${expected}; ${found}`;
}
