import type { FastifyReply } from 'fastify';

/** Given as a reason, for without one each abort makes an error of its own. */
const GONE = new Error('the caller is gone');

/**
 * Aborted when the caller is gone before the answer was sent, also while its request was still taken in, and
 * when the server closes.
 */
export function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  const look = (): void => {
    if (!reply.raw.writableFinished) gone.abort(GONE);
  };
  if (reply.raw.closed) look();
  else reply.raw.once('close', look);
  return AbortSignal.any([gone.signal, reply.server.closing]);
}
