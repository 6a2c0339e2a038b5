import { delayedKey, waitingKey } from '@epd/jobs';
import type { Redis } from 'ioredis';
import { luaScript } from '../lua-script.ts';
import { admissionKey } from './admission.ts';

/**
 * KEYS the account of admission, then a queue's sorted sets; ARGV how many jobs of a set are looked at.
 * Past them it looks at places spread evenly from first to last, and takes their mean for the rest: the
 * last in line are often of another size, for batches wait behind everybody. An entry of the account
 * begins with the cost; a job that has ended has none, and costs nothing.
 */
const COST = `
local most, cost = tonumber(ARGV[1]), 0
for set = 2, #KEYS do
  local count = redis.call('ZCARD', KEYS[set])
  local looks, seen = math.min(count, most), 0
  for look = 0, looks - 1 do
    local place = math.floor(look * count / looks)
    local id = redis.call('ZRANGE', KEYS[set], place, place)[1]
    local held = redis.call('HGET', KEYS[1], 'job:' .. id)
    if held then seen = seen + tonumber(string.match(held, '^%d+')) end
  end
  if looks > 0 then cost = cost + seen * count / looks end
end
return math.floor(cost + 0.5)
`;

/** Jobs of a set whose cost is read: bounds a look to about a millisecond of the server's time. */
const LOOKS = 200;

/**
 * What the jobs in a generate queue cost, by what admission has noted of each for as long as it has not
 * ended. Nothing is counted beside that, so nothing can drift.
 */
export class QueueCost {
  readonly #cost: ReturnType<typeof luaScript>;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#cost = luaScript(redis, 'queueCost', COST);
    this.#prefix = prefix;
  }

  /** Of jobs that no worker has taken up, those among them that are to be tried again later. */
  async waiting(model: string): Promise<number> {
    const keys = [
      admissionKey(this.#prefix),
      waitingKey(this.#prefix, model),
      delayedKey(this.#prefix, model),
    ];
    return (await this.#cost(keys, [LOOKS])) as number;
  }
}
