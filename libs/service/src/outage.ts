/** Errors of a connection that reconnects by itself. */
const OUTAGE_NAMES = new Set(['MaxRetriesPerRequestError', 'ConnectionClosedError']);
const OUTAGE_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'NR_CLOSED']);
const CONNECTION = /Connection is closed|Stream isn't writeable|Command timed out|Socket timeout/;

/**
 * Redis is reachable but refuses writes: out of memory, disk errors, a replica, a primary without
 * replicas, still loading, or busy with a long script.
 */
const REFUSED =
  /(^|-)(OOM|EXECABORT|MISCONF|READONLY|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|LOADING|BUSY|TRYAGAIN) /;

/** Whether an error of the Redis client is transient. Any other error is a defect of the caller. */
export function isRedisOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { name, message } = error;
  const code = 'code' in error ? String(error.code) : '';
  if (OUTAGE_NAMES.has(name) || OUTAGE_CODES.has(code)) return true;
  return (name === 'ReplyError' && REFUSED.test(message)) || CONNECTION.test(message);
}
