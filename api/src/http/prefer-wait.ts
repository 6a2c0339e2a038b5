import type { FastifyReply, FastifyRequest } from 'fastify';

/** What `Prefer: wait` alone means, and the longest that can be asked for: proxies give up later. */
const DEFAULT_WAIT_S = 60;
const MAX_WAIT_S = 300;

/**
 * How long the caller would rather wait than poll, in milliseconds; 0: not at all. What cannot be
 * understood is ignored, as RFC 7240 requires.
 */
export function preferredWaitMs({ headers }: FastifyRequest): number {
  const preferences = [headers['prefer'] ?? []].flat().join(',').split(/[,;]/);
  for (const preference of preferences) {
    const wait = /^\s*wait(?:\s*=\s*"?(\d{1,6})"?)?\s*$/i.exec(preference);
    if (wait !== null) return Math.min(Number(wait[1] ?? DEFAULT_WAIT_S), MAX_WAIT_S) * 1000;
  }
  return 0;
}

/** Says that the preference was honoured. */
export function applyWait(reply: FastifyReply, waitMs: number): void {
  if (waitMs > 0) void reply.header('preference-applied', `wait=${waitMs / 1000}`);
}
