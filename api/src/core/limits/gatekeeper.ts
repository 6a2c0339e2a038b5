import type { NewJob } from '@epd/jobs';
import { ApiError } from '../../http/errors.ts';
import type { Tenant } from '../auth/tenant.ts';
import type { Admission } from './admission.ts';
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

  /** Refusing is cheap only for one who waits for the answer before doing anything else. */
  get isShedding(): boolean {
    return this.#sheddingUntil > performance.now();
  }

  /**
   * Throws `too_much_waiting`, with the time after which it is worth asking again. The reservation is on
   * its way when this returns: a job that is to have it can be written without waiting for the answer.
   */
  async admit(jobId: string, tenant: Tenant, cost: number): Promise<void> {
    const { admission, maxWaitingCost } = this.#parts;
    const most = { total: maxWaitingCost, tenant: tenant.limits.waitingCost };
    const reservation = await admission.reserve(jobId, tenant.id, cost, most);
    if (reservation.outcome === 'reserved') return;
    this.#sheddingUntil = performance.now() + SHEDDING_MS;
    const { outcome, waiting } = reservation;
    const whose = outcome === 'total' ? 'in the fleet' : 'for this tenant';
    throw new ApiError(
      'too_much_waiting',
      `Work worth ${waiting} tokens waits ${whose} already, of at most ${most[outcome]}; this job costs ${cost}`,
      { retryAfterS: await this.#retryAfterS(waiting + cost - most[outcome]) },
    );
  }

  reservationOf(jobId: string): NonNullable<NewJob['reservation']> {
    return this.#parts.admission.reservationOf(jobId);
  }

  /** A job that was let in and then not written. */
  async withdraw(jobId: string): Promise<void> {
    await this.#parts.admission.release(jobId, { ended: false });
  }

  /** Counts what a job may cost against the tenant's limit a minute. Throws `rate_limited`. */
  async takeTokens(tenant: Tenant, cost: number): Promise<void> {
    const limit = tenant.limits.tokensPerMinute;
    if (limit === 0) return;
    const { allowed, retryMs } = await this.#parts.limiter.take(tenant.id, 'tokens', limit, cost);
    if (allowed) return;
    throw new ApiError('rate_limited', `More than ${limit} tokens a minute`, {
      retryAfterS: Math.ceil(retryMs / 1000),
    });
  }

  /** When as much will have ended as is too much now, at the pace of the last minute. */
  async #retryAfterS(excess: number): Promise<number> {
    const { costPerS } = await this.#parts.throughput.look();
    if (costPerS === null || costPerS <= 0) return DEFAULT_RETRY_S;
    return Math.min(MAX_RETRY_S, Math.max(1, Math.ceil(excess / costPerS)));
  }
}
