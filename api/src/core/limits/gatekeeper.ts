import type { Admission, Excess, JobCost } from '@epd/jobs';
import { ApiError } from '../../http/errors.ts';
import type { Tenant } from '../auth/tenant.ts';
import type { RateLimiter } from './rate-limiter.ts';
import type { Throughput } from './throughput.ts';

interface GatekeeperParts {
  readonly admission: Admission;
  readonly limiter: RateLimiter;
  readonly throughput: Throughput;
  /** Most cost that may wait in the whole fleet; 0: no bound. */
  readonly maxWaitingCost: number;
}

/** After a refusal more are to be expected for so long. */
const SHEDDING_MS = 1_000;
const DEFAULT_RETRY_S = 5;
const MAX_RETRY_S = 300;

/** Sheds load at the door: what it lets in is never dropped. */
export class Gatekeeper {
  readonly #parts: GatekeeperParts;
  #sheddingUntil = 0;

  constructor(parts: GatekeeperParts) {
    this.#parts = parts;
  }

  /** Refusing is cheap only for one who asks before doing anything else. */
  get isShedding(): boolean {
    return this.#sheddingUntil > performance.now();
  }

  /** What a job counts for; it is admitted with its record, or refused then. */
  costOf(tenant: Tenant, tokens: number): JobCost {
    const { maxWaitingCost: total } = this.#parts;
    return { tokens, most: { total, tenant: tenant.limits.waitingCost } };
  }

  /**
   * Throws `too_much_waiting` and `rate_limited` where a job of this cost would be refused now; holds no place for
   * it, and takes nothing.
   */
  async check(tenant: Tenant, cost: JobCost): Promise<void> {
    const excess = await this.#parts.admission.check(tenant.id, cost);
    if (excess !== null) throw await this.refusal(excess, cost);
    await this.#askForTokens('look', tenant, cost);
  }

  /** The error for a job that was refused, with the time after which it is worth asking again. */
  async refusal({ bound, waiting }: Excess, { tokens, most }: JobCost): Promise<ApiError> {
    this.#sheddingUntil = performance.now() + SHEDDING_MS;
    const whose = bound === 'total' ? 'in the fleet' : 'for this tenant';
    return new ApiError(
      'too_much_waiting',
      `Work worth ${waiting} tokens waits ${whose} already, of at most ${most[bound]}; this job costs ${tokens}`,
      { retryAfterS: await this.#retryAfterS(waiting + tokens - most[bound]) },
    );
  }

  /** Counts what a job may cost against the tenant's limit a minute. Throws `rate_limited`. */
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
    throw new ApiError('rate_limited', `More than ${limit} tokens a minute`, {
      retryAfterS: Math.ceil(retryMs / 1000),
    });
  }

  /** Of a job that came to nothing: a refusal spends no budget. */
  async giveBackTokens(tenant: Tenant, { tokens }: JobCost): Promise<void> {
    const limit = tenant.limits.tokensPerMinute;
    if (limit > 0) await this.#parts.limiter.giveBack(tenant.id, 'tokens', limit, tokens);
  }

  /** When as much will have ended as is too much now, at the pace of the last minute. */
  async #retryAfterS(excess: number): Promise<number> {
    const { costPerS } = await this.#parts.throughput.look();
    if (costPerS === null || costPerS <= 0) return DEFAULT_RETRY_S;
    return Math.min(MAX_RETRY_S, Math.max(1, Math.ceil(excess / costPerS)));
  }
}
