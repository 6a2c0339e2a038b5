import type { FastifyReply } from 'fastify';

/** Given as a reason, for without one each abort makes an error of its own. */
export const GONE = new Error('the caller is gone');

/** Aborted when the caller is gone before the answer was sent, and when the server closes. */
export function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort(GONE);
  });
  return AbortSignal.any([gone.signal, reply.server.closing]);
}
