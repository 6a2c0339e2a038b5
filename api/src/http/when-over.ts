import type { FastifyReply } from 'fastify';

/**
 * Calls `end` once: when the answer has been sent, or its connection is gone, at once where it is gone already, as
 * it may be after authentication has waited for Redis. Fastify's `onResponse` hears nothing of a caller that leaves
 * in the middle of a stream.
 */
export function whenOver({ raw }: Pick<FastifyReply, 'raw'>, end: () => void): void {
  if (raw.closed) return end();
  let over = false;
  const once = (): void => {
    if (over) return;
    over = true;
    end();
  };
  raw.once('finish', once);
  raw.once('close', once);
}
