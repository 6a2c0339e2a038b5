import { redisScript, serverTimeMs } from '@epd/connector';
import type { Redis } from 'ioredis';
import { batchKeys } from './batch-keys.ts';
import {
  TERMINAL,
  type Batch,
  type BatchProblem,
  type BatchRequest,
  type BatchStatus,
  type LineResult,
} from './batch-record.ts';

/**
 * KEYS record, index, active, the tenant's active; ARGV id, request, createdAtMs, keptMs, most, what comes before an
 * id in the key of a record. 0: the tenant has as many at work as it may; 0 most: no bound. One whose record has
 * expired is at work no more, and nobody can say any more whose it was: it is looked for here.
 */
const createScript = redisScript(`
local most = tonumber(ARGV[5])
if most > 0 and redis.call('SCARD', KEYS[4]) >= most then
  for _, id in ipairs(redis.call('SMEMBERS', KEYS[4])) do
    if redis.call('EXISTS', ARGV[6] .. id) == 0 then redis.call('SREM', KEYS[4], id) end
  end
  if redis.call('SCARD', KEYS[4]) >= most then return 0 end
end
redis.call('HSET', KEYS[1], 'request', ARGV[2], 'status', 'validating')
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
redis.call('SADD', KEYS[3], ARGV[1])
redis.call('SADD', KEYS[4], ARGV[1])
redis.call('PEXPIRE', KEYS[4], ARGV[4])
return 1`);

/** KEYS record; ARGV fields and values. A record that has expired is not made again. */
const setScript = redisScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], unpack(ARGV)) end`);

/** KEYS record; ARGV to, from ... Enters a state from one of those named. 1: done. */
const enterScript = redisScript(`
local status = redis.call('HGET', KEYS[1], 'status')
for i = 2, #ARGV do
  if status == ARGV[i] then
    redis.call('HSET', KEYS[1], 'status', ARGV[1], 'at:' .. ARGV[1], now)
    return 1
  end
end
return 0`);

/**
 * KEYS record results; ARGV line, ok, json, most bytes of all. A line has one result: a second one is passed
 * over, and so is what comes from a process that does not know that the batch has come to rest, or has expired.
 * 2: all results would take more than may be.
 */
const recordScript = redisScript(`
local status = redis.call('HGET', KEYS[1], 'status')
if not status then return 0 end
if ${TERMINAL.map((name) => `status == '${name}'`).join(' or ')} then return 0 end
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return 0 end
if tonumber(redis.call('HGET', KEYS[1], 'resultBytes') or '0') + #ARGV[3] > tonumber(ARGV[4]) then return 2 end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2] .. ARGV[3])
redis.call('HINCRBY', KEYS[1], 'resultBytes', #ARGV[3])
redis.call('HINCRBY', KEYS[1], ARGV[2] == '1' and 'completed' or 'failed', 1)
return 1`);

const DAY_MS = 24 * 3_600_000;
/** How long a batch is kept after it began: its window and a month. */
const KEPT_MS = 31 * DAY_MS;

/**
 * Text of all results of a batch: they lie in Redis until the last one is there, and pass through the memory of
 * one process then.
 */
const MAX_RESULT_BYTES = 64 * 1024 * 1024;
const RESULTS_AT_ONCE = 200;

/** Batches in Redis: a record each, the results line by line, and which ones are at work. */
export class BatchStore {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  /** The clock by which a batch has its window, whichever process works at it. */
  nowMs(): Promise<number> {
    return serverTimeMs(this.#redis);
  }

  /** False: as many of the tenant's batches are at work as may be. `most` 0: any number. */
  async create(request: BatchRequest, most = 0): Promise<boolean> {
    const { id, tenant, createdAtMs } = request;
    const keys = [this.#key(id), this.#index(tenant), this.#active, this.#activeOf(tenant)];
    const args = [id, JSON.stringify(request), createdAtMs, KEPT_MS, most, this.#key('')];
    return (await createScript(this.#redis, keys, args)) === 1;
  }

  async get(id: string): Promise<Batch | null> {
    const fields = await this.#redis.hgetall(this.#key(id));
    return fields['request'] === undefined ? null : decode(fields);
  }

  /** The newest first, from behind `after` on. Null: no batch of this list is called so. */
  async list(
    tenant: string,
    limit: number,
    after?: string,
  ): Promise<{ batches: Batch[]; hasMore: boolean } | null> {
    const index = this.#index(tenant);
    const rank = after === undefined ? -1 : await this.#redis.zrevrank(index, after);
    if (rank === null) return null;
    const batches: Batch[] = [];
    for (let start = rank + 1; ;) {
      const ids = await this.#redis.zrevrange(index, start, start + limit);
      for (const id of ids) {
        if (batches.length === limit) return { batches, hasMore: true };
        const batch = await this.get(id);
        if (batch !== null) {
          batches.push(batch);
          start += 1;
        } else await this.#redis.zrem(index, id); // it has expired, and the others move up
      }
      if (ids.length === 0) return { batches, hasMore: false };
    }
  }

  /** False when the batch is in none of the states to come from. */
  async enter(id: string, to: BatchStatus, ...from: BatchStatus[]): Promise<boolean> {
    return (await enterScript(this.#redis, [this.#key(id)], [to, ...from])) === 1;
  }

  async set(
    id: string,
    fields: Partial<Pick<Batch, 'total' | 'outputFileId' | 'errorFileId'>>,
  ): Promise<void> {
    const given = Object.entries(fields).flatMap(([name, value]) =>
      value === null ? [] : [name, value],
    );
    if (given.length > 0) await setScript(this.#redis, [this.#key(id)], given);
  }

  async setProblems(id: string, problems: readonly BatchProblem[]): Promise<void> {
    await setScript(this.#redis, [this.#key(id)], ['problems', JSON.stringify(problems)]);
  }

  /** A result that is too much beside the others becomes an error that says so. */
  async record(id: string, line: number, { ok, line: text }: LineResult): Promise<void> {
    const keys = [this.#key(id), this.#results(id)];
    const write = (good: boolean, json: string, most: number): Promise<unknown> =>
      recordScript(this.#redis, keys, [line, good ? '1' : '0', json, most]);
    if ((await write(ok, text, MAX_RESULT_BYTES)) === 2) {
      await write(false, withoutAnswer(text), Number.MAX_SAFE_INTEGER);
    }
    await this.#redis.pexpire(this.#results(id), KEPT_MS);
  }

  /** Numbers of the lines that have a result. */
  async done(id: string): Promise<Set<number>> {
    return new Set((await this.#redis.hkeys(this.#results(id))).map(Number));
  }

  /** In the order of lines, of which there are `total`. */
  async *results(id: string, total: number): AsyncGenerator<LineResult> {
    for (let first = 0; first < total; first += RESULTS_AT_ONCE) {
      const lines = Array.from({ length: Math.min(RESULTS_AT_ONCE, total - first) }, (_, at) =>
        String(first + at),
      );
      for (const value of await this.#redis.hmget(this.#results(id), ...lines)) {
        if (value !== null) yield { ok: value.startsWith('1'), line: value.slice(1) };
      }
    }
  }

  active(): Promise<string[]> {
    return this.#redis.smembers(this.#active);
  }

  /** The batch is at rest: its results are in files now. */
  async retire({ id, tenant }: Pick<Batch, 'id' | 'tenant'>): Promise<void> {
    await this.#redis
      .multi()
      .srem(this.#active, id)
      .srem(this.#activeOf(tenant), id)
      .del(this.#results(id))
      .exec();
  }

  /** One whose record has expired. Its tenant is no longer known: `create` finds it in the tenant's set. */
  async forget(id: string): Promise<void> {
    await this.#redis.multi().srem(this.#active, id).del(this.#results(id)).exec();
  }

  get #active(): string {
    return `${this.#prefix}:batches:active`;
  }

  #activeOf(tenant: string): string {
    return `${this.#prefix}:batches:${tenant}:active`;
  }

  #key(id: string): string {
    return batchKeys(this.#prefix, id).record;
  }

  #results(id: string): string {
    return batchKeys(this.#prefix, id).results;
  }

  /** Not the set of those at work, whatever a tenant is called. */
  #index(tenant: string): string {
    return `${this.#prefix}:batches:${tenant === 'active' ? 'active:list' : tenant}`;
  }
}

function decode(fields: Record<string, string>): Batch {
  const times = Object.entries(fields).filter(([name]) => name.startsWith('at:'));
  return {
    ...(JSON.parse(fields['request'] ?? '{}') as BatchRequest),
    status: fields['status'] as BatchStatus,
    atMs: Object.fromEntries(
      times.map(([name, value]) => [name.slice('at:'.length), Number(value)]),
    ),
    total: Number(fields['total'] ?? 0),
    completed: Number(fields['completed'] ?? 0),
    failed: Number(fields['failed'] ?? 0),
    outputFileId: fields['outputFileId'] ?? null,
    errorFileId: fields['errorFileId'] ?? null,
    problems: JSON.parse(fields['problems'] ?? '[]') as BatchProblem[],
  };
}

/** In place of an answer for which there is no room any more. */
function withoutAnswer(line: string): string {
  const { id, custom_id } = JSON.parse(line) as { id: string; custom_id: string };
  const message = `The results of a batch may take ${MAX_RESULT_BYTES} bytes; ask for this one in another batch`;
  const error = { code: 'results_too_large', message };
  return JSON.stringify({ id, custom_id, response: null, error });
}
