import { ApiError } from '../../http/errors.ts';
import type { Tenant } from '../auth/tenant.ts';

/**
 * The priority of a job whose caller asked for `asked`; lower runs first. Throws `invalid_value` if
 * that is more urgent than the tenant's jobs may be: otherwise every tenant would use the most
 * urgent one.
 */
export function priorityOf(asked: number | undefined, { limits }: Pick<Tenant, 'limits'>): number {
  const least = limits.minPriority;
  if (asked === undefined) return Math.max(0, least);
  if (asked >= least) return asked;
  throw new ApiError('invalid_value', `priority: expected ${least} or more, got ${asked}`, {
    param: 'priority',
  });
}
