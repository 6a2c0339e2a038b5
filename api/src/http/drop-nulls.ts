import type { FastifyRequest } from 'fastify';

/** OpenAI's clients send `null` for a parameter that is left at its default. */
export async function dropNulls(request: FastifyRequest): Promise<void> {
  const { body } = request;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return;
  request.body = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}
