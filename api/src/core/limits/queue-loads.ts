import { encodeQueueName, generateQueueName, redisScript } from '@epd/connector';
import { jobKeys, queuePlace } from '@epd/jobs';
import type { Redis } from 'ioredis';

/**
 * KEYS the admission account, then the lists of a queue's waiting jobs; ARGV how many jobs are read in each list.
 * Above that number it samples jobs evenly from first to last, and extrapolates their mean: the
 * last in line often differ in size, because batches are queued last. Returns jobs and their cost.
 */
const loadScript = (costOf: string) =>
  redisScript(`
local function costOf(id)
  ${costOf}
end
local most, jobs, cost = tonumber(ARGV[1]), 0, 0
for place = 2, #KEYS do
  local list = redis.call('TYPE', KEYS[place]).ok == 'list'
  local count = redis.call(list and 'LLEN' or 'ZCARD', KEYS[place])
  local looks, seen = math.min(count, most), 0
  for look = 0, looks - 1 do
    local at = math.floor(look * count / looks)
    seen = seen + costOf(redis.call(list and 'LRANGE' or 'ZRANGE', KEYS[place], at, at)[1])
  end
  jobs = jobs + count
  if looks > 0 then cost = cost + seen * count / looks end
end
return { jobs, math.floor(cost + 0.5) }`);

/** KEYS[1] the account of admission. An entry begins with the cost; a job that has ended has none, and costs nothing. */
const generateLoad = loadScript(`
  local held = redis.call('HGET', KEYS[1], 'job:' .. id)
  return held and tonumber(string.match(held, '^%d+')) or 0`);

/** KEYS[1] the queue, below which each job has its message. */
const encodeLoad = loadScript(`
  local message = redis.call('HGET', KEYS[1] .. ':' .. id, 'data')
  return message and tonumber(cjson.decode(message).tokens) or 0`);

const PLACES = ['wait', 'prioritized', 'delayed'] as const;
/**
 * Jobs per queue state whose cost is read: bounds a query to about a millisecond of the server's
 * time.
 */
const LOOKS = 200;

/** Queued jobs that no worker has claimed, including those delayed for a retry. */
export interface QueueLoad {
  readonly jobs: number;
  readonly costTokens: number;
}

/**
 * The queued work of a model. A generate job costs what admission recorded for it until it ends, an
 * image the tokens in its message. There are no separate counters, so nothing can drift.
 */
export class QueueLoads {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  async generates(model: string): Promise<QueueLoad> {
    const keys = [jobKeys(this.#prefix).admission, ...this.#places(generateQueueName(model))];
    return toLoad(await generateLoad(this.#redis, keys, [LOOKS]));
  }

  async encodes(model: string): Promise<QueueLoad> {
    const queue = encodeQueueName(model);
    const keys = [`${this.#prefix}:${queue}`, ...this.#places(queue)];
    return toLoad(await encodeLoad(this.#redis, keys, [LOOKS]));
  }

  #places(queue: string): string[] {
    return PLACES.map((place) => queuePlace(this.#prefix, queue, place));
  }
}

function toLoad(answer: unknown): QueueLoad {
  const [jobs = 0, costTokens = 0] = answer as number[];
  return { jobs, costTokens };
}
