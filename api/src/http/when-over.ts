import type { FastifyReply } from 'fastify';

/**
 * Calls `end` once: when the answer has been sent, or its connection is gone. Fastify's `onResponse` hears nothing
 * of a caller that leaves in the middle of a stream.
 */
export function whenOver({ raw }: Pick<FastifyReply, 'raw'>, end: () => void): void {
  let over = false;
  const once = (): void => {
    if (over) return;
    over = true;
    end();
  };
  raw.once('finish', once);
  raw.once('close', once);
}
