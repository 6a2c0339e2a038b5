import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { goneSignal } from './gone-signal.ts';

/** Proxies close connections that are silent for a minute, some for half of that. */
export const HEARTBEAT_MS = 15_000;

/** A slow reader holds this much, not the whole answer. */
const HIGH_WATER_BYTES = 16_384;

/** One server-sent event. `data` is one line: JSON holds no line breaks. */
export function sseEvent(
  data: unknown,
  { id, event }: { id?: number; event?: string } = {},
): string {
  const head = id === undefined ? '' : `id: ${id}\n`;
  return `${head}${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** A comment that keeps the connection open and carries nothing. */
export const SSE_HEARTBEAT = ': keep-alive\n\n';

/**
 * Answers with what `frames` yields, at the reader's pace. Its signal is aborted when the reader is
 * gone and when the server closes; a reader that reconnects resumes where it was.
 */
export function sendSse(
  reply: FastifyReply,
  frames: (signal: AbortSignal) => AsyncIterable<string>,
): FastifyReply {
  const { closing } = reply.server;
  // A server that closes waits for connections, and this one would stay open for the next request. A request
  // that is injected has no real one.
  const { socket } = reply.request.raw;
  reply.raw.once('finish', () => closing.aborted && socket.destroySoon?.());
  // By the response's own event: the stream's comes only after `frames` has returned.
  const signal = goneSignal(reply);
  return reply
    .header('content-type', 'text/event-stream; charset=utf-8')
    .header('cache-control', 'no-cache, no-transform')
    .header('x-accel-buffering', 'no')
    .send(Readable.from(frames(signal), { objectMode: false, highWaterMark: HIGH_WATER_BYTES }));
}
