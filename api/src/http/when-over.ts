import type { FastifyReply } from 'fastify';

/** What is to be called when a response is over. Each response is listened to once, whoever asks. */
const asked = new WeakMap<FastifyReply['raw'], (() => void)[]>();

/**
 * Calls `end` once: when the response has been sent, or its connection is closed, at once where it is closed already,
 * as it may be after authentication has waited for Redis. Fastify's `onResponse` hears nothing of a caller that leaves
 * in the middle of a stream.
 */
export function whenOver({ raw }: Pick<FastifyReply, 'raw'>, end: () => void): void {
  if (raw.closed) return end();
  const ends = asked.get(raw);
  if (ends !== undefined) ends.push(end);
  else listen(raw, [end]);
}

function listen(raw: FastifyReply['raw'], ends: (() => void)[]): void {
  asked.set(raw, ends);
  const over = (): void => {
    if (asked.get(raw) !== ends) return;
    asked.delete(raw);
    for (const end of ends) end();
  };
  raw.once('finish', over);
  raw.once('close', over);
}
