import type { FastifyReply } from 'fastify';

/** Aborted when the caller is gone before the answer was sent, and when the server closes. */
export function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return AbortSignal.any([gone.signal, reply.server.closing]);
}
