import type { Admission, Excess, JobCost } from '@epd/jobs';
import { ApiError } from '../../http/errors.ts';
import type { Tenant } from '../auth/tenant.ts';
import type { RateLimiter } from './rate-limiter.ts';
import type { Throughput } from './throughput.ts';

interface GatekeeperParts {
  readonly admission: Admission;
  readonly limiter: RateLimiter;
  readonly throughput: Throughput;
  /** Maximum queued cost in the whole fleet; 0: unlimited. */
  readonly maxWaitingCost: number;
}

/** After a refusal, more refusals are expected for this time. */
const SHEDDING_MS = 1_000;
const DEFAULT_RETRY_S = 5;
const MAX_RETRY_S = 300;

/** Admission control: sheds load before acceptance; accepted jobs are never dropped. */
export class Gatekeeper {
  readonly #parts: GatekeeperParts;
  #sheddingUntil = 0;

  constructor(parts: GatekeeperParts) {
    this.#parts = parts;
  }

  /** A refusal is cheap only if it comes before any other work. */
  get isShedding(): boolean {
    return this.#sheddingUntil > performance.now();
  }

  /** The cost of a job; it is admitted or refused when its record is written. */
  costOf(tenant: Tenant, tokens: number): JobCost {
    const { maxWaitingCost: total } = this.#parts;
    return { tokens, most: { total, tenant: tenant.limits.waitingCost } };
  }

  /**
   * Throws `too_much_waiting` or `rate_limited` if a job of this cost would be refused now; reserves
   * nothing and counts nothing.
   */
  async check(tenant: Tenant, cost: JobCost): Promise<void> {
    const excess = await this.#parts.admission.check(tenant.id, cost);
    if (excess !== null) throw await this.refusal(excess, cost);
    await this.#askForTokens('look', tenant, cost);
  }

  /** The error for a refused job, with the time after which a retry may succeed. */
  async refusal({ bound, waiting }: Excess, { tokens, most }: JobCost): Promise<ApiError> {
    this.#sheddingUntil = performance.now() + SHEDDING_MS;
    const whose = bound === 'total' ? 'in the fleet' : 'for this tenant';
    return new ApiError(
      'too_much_waiting',
      `${waiting} tokens are already queued ${whose}, of at most ${most[bound]}; this job costs ${tokens}`,
      { retryAfterS: await this.#retryAfterS(waiting + tokens - most[bound]) },
    );
  }

  /** Counts the maximum cost of a job against the tenant's limit per minute. Throws `rate_limited`. */
  async takeTokens(tenant: Tenant, cost: JobCost): Promise<void> {
    await this.#askForTokens('take', tenant, cost);
  }

  async #askForTokens(
    how: 'look' | 'take',
    { id, limits: { tokensPerMinute: limit } }: Tenant,
    { tokens }: JobCost,
  ): Promise<void> {
    if (limit === 0) return;
    const { allowed, retryMs } = await this.#parts.limiter[how](id, 'tokens', limit, tokens);
    if (allowed) return;
    throw new ApiError('rate_limited', `Rate limit exceeded: at most ${limit} tokens per minute`, {
      retryAfterS: Math.ceil(retryMs / 1000),
    });
  }

  /** Returns the cost of a job that was not accepted: a refusal spends no budget. */
  async giveBackTokens(tenant: Tenant, { tokens }: JobCost): Promise<void> {
    const limit = tenant.limits.tokensPerMinute;
    if (limit > 0) await this.#parts.limiter.giveBack(tenant.id, 'tokens', limit, tokens);
  }

  /** When enough work will have ended, at the throughput of the last minute. */
  async #retryAfterS(excess: number): Promise<number> {
    const { costPerS } = await this.#parts.throughput.look();
    if (costPerS === null || costPerS <= 0) return DEFAULT_RETRY_S;
    return Math.min(MAX_RETRY_S, Math.max(1, Math.ceil(excess / costPerS)));
  }
}
