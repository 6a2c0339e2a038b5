import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from '../../http/errors.ts';
import { WINDOW_MS, type RateDecision, type RateLimiter } from './rate-limiter.ts';

const seconds = (ms: number): number => Math.ceil(ms / 1000);

/**
 * Counts a request against its tenant's limit, and reports the remaining budget in the headers of
 * the IETF's draft and in those that OpenAI's clients know.
 */
export const limitRequests =
  (limiter: RateLimiter) =>
  async ({ tenant }: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const limit = tenant.limits.requestsPerMinute;
    if (limit === 0) return;
    const decision = await limiter.take(tenant.id, 'requests', limit, 1);
    describe(reply, decision);
    if (decision.allowed) return;
    throw new ApiError(
      'rate_limited',
      `Rate limit exceeded: at most ${limit} requests per minute`,
      {
        retryAfterS: seconds(decision.retryMs),
      },
    );
  };

function describe(reply: FastifyReply, { limit, remaining, resetMs }: RateDecision): void {
  void reply
    .header('ratelimit-policy', `"requests";q=${limit};w=${WINDOW_MS / 1000}`)
    .header('ratelimit', `"requests";r=${remaining};t=${seconds(resetMs)}`)
    .header('x-ratelimit-limit-requests', limit)
    .header('x-ratelimit-remaining-requests', remaining)
    .header('x-ratelimit-reset-requests', `${seconds(resetMs)}s`);
}
