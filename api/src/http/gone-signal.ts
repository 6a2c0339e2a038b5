import type { FastifyReply } from 'fastify';
import { whenOver } from './when-over.ts';

/** Given as a reason, for without one each abort makes an error of its own. */
const GONE = new Error('the caller is gone');

/**
 * Aborted when the caller closes the connection before the response was sent, even while the request is still being
 * read, and when the server closes.
 */
export function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  whenOver(reply, () => {
    if (!reply.raw.writableFinished) gone.abort(GONE);
  });
  return AbortSignal.any([gone.signal, reply.server.closing]);
}
