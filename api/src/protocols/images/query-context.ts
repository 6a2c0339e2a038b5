import type { FastifyReply, FastifyRequest } from 'fastify';
import type { VectorContext } from '../../core/images/image-vectors.ts';
import type { Services } from '../../core/services.ts';
import { goneSignal } from '../../http/gone-signal.ts';

/** On whose behalf, and with which model, the pictures of a query are encoded. */
export async function contextOf(
  { models }: Pick<Services, 'models'>,
  model: string | undefined,
  { tenant, memory }: FastifyRequest,
  reply: FastifyReply,
): Promise<VectorContext> {
  return { card: await models.resolve(model), tenant, memory, signal: goneSignal(reply) };
}
