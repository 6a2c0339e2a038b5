import type { FastifyRequest } from 'fastify';

/** What of a request beside its body goes into a submission. */
export type RequestFacts = Pick<
  FastifyRequest,
  'id' | 'tenant' | 'headers' | 'receivedAtMs' | 'bodySha256' | 'memory'
>;
