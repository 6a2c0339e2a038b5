import type { FastifyInstance } from 'fastify';
import { ApiError } from './errors.ts';
import { whenOver } from './when-over.ts';

const RETRY_S = 1;

/**
 * Bounds the requests of one tenant that this process is answering: event streams, answers that are waited for
 * and bodies that are coming in each hold a connection and memory. 0: no bound. To be installed after
 * authentication.
 */
export function limitOpenRequests(app: FastifyInstance, maxPerTenant: number): void {
  if (maxPerTenant === 0) return;
  const open = new Map<string, number>();
  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config.access === 'public') return;
    const { id } = request.tenant;
    const count = open.get(id) ?? 0;
    if (count >= maxPerTenant) {
      throw new ApiError(
        'too_many_open_requests',
        `Expected at most ${maxPerTenant} open requests per tenant and replica, including event streams`,
        { retryAfterS: RETRY_S },
      );
    }
    open.set(id, count + 1);
    whenOver(reply, () => {
      const left = (open.get(id) ?? 1) - 1;
      if (left > 0) open.set(id, left);
      else open.delete(id);
    });
  });
}
