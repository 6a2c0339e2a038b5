/** An error as the log shows it. */
export interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly stack: string;
  readonly code?: string | number;
  readonly cause?: LoggedError;
  readonly errors?: readonly LoggedError[];
}

/** Maximum depth of nested causes. */
const DEPTH_MAX = 4;

/**
 * An error reduced to the fields named here. Libraries attach context to their errors: ioredis the
 * whole command, and so a prompt or a password; S3 clients request and response.
 */
export function loggedError(error: Error, depth = 0): LoggedError {
  const { message, stack = '' } = error;
  const code = 'code' in error ? error.code : undefined;
  return {
    type: error.constructor.name,
    message,
    stack,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(depth < DEPTH_MAX ? behind(error, depth + 1) : {}),
  };
}

function behind(error: Error, depth: number): Pick<LoggedError, 'cause' | 'errors'> {
  const { cause } = error;
  const errors = error instanceof AggregateError ? error.errors.filter(isError) : [];
  return {
    ...(isError(cause) ? { cause: loggedError(cause, depth) } : {}),
    ...(errors.length > 0 ? { errors: errors.map((one) => loggedError(one, depth)) } : {}),
  };
}

const isError = (value: unknown): value is Error => value instanceof Error;
