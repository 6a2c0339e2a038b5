import { redisScript } from '@epd/connector';
import type { Redis } from 'ioredis';
import { ACCOUNT } from './admission-scripts.ts';
import { jobKeys } from './job-keys.ts';

/** Maximum cost in tokens of admitted jobs that have not ended; 0: unlimited. */
export interface CostBounds {
  readonly total: number;
  readonly tenant: number;
}

/** The cost of a job until it ends, and the bounds for its admission. */
export interface JobCost {
  /** In tokens. */
  readonly tokens: number;
  readonly most: CostBounds;
}

/** Which bound a job would exceed, and the admitted cost under that bound, in tokens. */
export interface Excess {
  readonly bound: keyof CostBounds;
  readonly waiting: number;
}

export interface AdmittedWork {
  readonly total: number;
  readonly count: number;
  readonly endedCost: number;
  readonly endedCount: number;
  /** How long there was work, in milliseconds, since the account was created. */
  readonly busyMs: number;
}

/** KEYS account; ARGV tenant cost most mostOwn. */
const checkScript = redisScript(`${ACCOUNT}
return exceeded(KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]))`);

/** KEYS account; ARGV scope. */
const workScript = redisScript(`
local work = {}
for at, field in ipairs({ 'total', 'count', 'endedCost', 'endedCount', 'busyMs' }) do
  work[at] = tonumber(redis.call('HGET', KEYS[1], field .. ARGV[1]) or '0')
end
local changedAt = redis.call('HGET', KEYS[1], 'changedAtMs' .. ARGV[1])
if changedAt and work[2] > 0 then work[5] = work[5] + math.max(0, now - changedAt) end
return work`);

/**
 * The account of admitted jobs that have not ended. The scripts that write a job's record and its
 * ending update it; this class only reads it.
 */
export class Admission {
  readonly #redis: Redis;
  readonly #account: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#account = jobKeys(prefix).admission;
  }

  /** Whether a job of this cost would be refused now; null if not. Reserves nothing. */
  async check(tenant: string, { tokens, most }: JobCost): Promise<Excess | null> {
    const args = [tenant, tokens, most.total, most.tenant];
    const found = (await checkScript(this.#redis, [this.#account], args)) as
      | [keyof CostBounds, number]
      | null;
    return found === null ? null : { bound: found[0], waiting: found[1] };
  }

  /** Of one model, or of the fleet. */
  async work(model?: string): Promise<AdmittedWork> {
    const scope = model === undefined ? '' : `:${model}`;
    const fields = (await workScript(this.#redis, [this.#account], [scope])) as number[];
    const [total = 0, count = 0, endedCost = 0, endedCount = 0, busyMs = 0] = fields;
    return { total, count, endedCost, endedCount, busyMs };
  }
}
