import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

/** Headers of an answer that a page may read besides those that every page may. */
const EXPOSED = [
  'x-request-id',
  'retry-after',
  'x-should-retry',
  'location',
  'idempotent-replayed',
];
/** How long, in seconds, a browser may go by what it was told: the most that Chromium keeps. */
const MAX_AGE_S = 7_200;

/**
 * Lets the pages of `origins` read answers. A browser asks first, without credentials, so it is answered before
 * anybody is identified. Which pages may change things is the request guard's to say. Without origins nothing
 * is installed. Any header may be sent: OpenAI's clients add their own.
 */
export async function installCors(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  await app.register(cors, {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED,
    maxAge: MAX_AGE_S,
    hook: 'onRequest',
    strictPreflight: false,
  });
}
