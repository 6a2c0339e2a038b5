/** Errors of a connection that is made anew by itself. */
const OUTAGE_NAMES = new Set(['MaxRetriesPerRequestError', 'ConnectionClosedError']);
const OUTAGE_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'NR_CLOSED']);
const CONNECTION = /Connection is closed|Stream isn't writeable|Command timed out|Socket timeout/;

/**
 * Redis is there and takes no writes, or transactions of them: no memory, no disk, a replica, one without
 * replicas, or it still loads, or runs somebody's script for too long.
 */
const REFUSED =
  /(^|-)(OOM|EXECABORT|MISCONF|READONLY|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|LOADING|BUSY|TRYAGAIN) /;

/** Whether an error of Redis's client passes by itself. Anything else that it says is a defect of who asked. */
export function isRedisOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { name, message } = error;
  const code = 'code' in error ? String(error.code) : '';
  if (OUTAGE_NAMES.has(name) || OUTAGE_CODES.has(code)) return true;
  return (name === 'ReplyError' && REFUSED.test(message)) || CONNECTION.test(message);
}
