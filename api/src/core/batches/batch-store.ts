import { redisScript, serverTimeMs } from '@epd/connector';
import type { Redis } from 'ioredis';
import { idsAfter } from '../../http/ids-after.ts';
import {
  TERMINAL,
  type Batch,
  type BatchProblem,
  type BatchRequest,
  type BatchStatus,
  type LineResult,
} from './batch-record.ts';

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
 * KEYS record results; ARGV line, ok, json. A line has one result: a second one is passed over, and so is
 * what comes from a process that does not know that the batch has come to rest.
 */
const recordScript = redisScript(`
local status = redis.call('HGET', KEYS[1], 'status')
if ${TERMINAL.map((name) => `status == '${name}'`).join(' or ')} then return 0 end
if redis.call('HSETNX', KEYS[2], ARGV[1], ARGV[2] .. ARGV[3]) == 0 then return 0 end
redis.call('HINCRBY', KEYS[1], ARGV[2] == '1' and 'completed' or 'failed', 1)
return 1`);

const DAY_MS = 24 * 3_600_000;
/** How long a batch is kept after it began: its window and a month. */
const KEPT_MS = 31 * DAY_MS;

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

  async create(request: BatchRequest): Promise<void> {
    const { id, tenant, createdAtMs } = request;
    await this.#redis
      .multi()
      .hset(this.#key(id), { request: JSON.stringify(request), status: 'validating' })
      .pexpire(this.#key(id), KEPT_MS)
      .zadd(this.#index(tenant), createdAtMs, id)
      .sadd(this.#active, id)
      .exec();
  }

  async get(id: string): Promise<Batch | null> {
    const fields = await this.#redis.hgetall(this.#key(id));
    return fields['request'] === undefined ? null : decode(fields);
  }

  /** The newest first. Throws `invalid_value` where `after` is no batch of the tenant's. */
  async list(
    tenant: string,
    limit: number,
    after?: string,
  ): Promise<{ batches: Batch[]; hasMore: boolean }> {
    const index = this.#index(tenant);
    const expired: string[] = [];
    const batches: Batch[] = [];
    for await (const id of idsAfter(this.#redis, index, { after, order: 'desc' })) {
      if (batches.length > limit) break;
      const batch = await this.get(id);
      if (batch === null) expired.push(id);
      else batches.push(batch);
    }
    if (expired.length > 0) await this.#redis.zrem(index, ...expired);
    return { batches: batches.slice(0, limit), hasMore: batches.length > limit };
  }

  /** False when the batch is in none of the states to come from. */
  async enter(id: string, to: BatchStatus, ...from: BatchStatus[]): Promise<boolean> {
    return (await enterScript(this.#redis, [this.#key(id)], [to, ...from])) === 1;
  }

  async set(
    id: string,
    fields: Partial<Pick<Batch, 'total' | 'outputFileId' | 'errorFileId'>>,
  ): Promise<void> {
    const given = Object.entries(fields).filter(([, value]) => value !== null);
    if (given.length > 0) await this.#redis.hset(this.#key(id), Object.fromEntries(given));
  }

  async setProblems(id: string, problems: readonly BatchProblem[]): Promise<void> {
    await this.#redis.hset(this.#key(id), 'problems', JSON.stringify(problems));
  }

  async record(id: string, line: number, { ok, line: text }: LineResult): Promise<void> {
    await recordScript(
      this.#redis,
      [this.#key(id), this.#results(id)],
      [line, ok ? '1' : '0', text],
    );
    await this.#redis.pexpire(this.#results(id), KEPT_MS);
  }

  /** Numbers of the lines that have a result, up to 50,000: read once by the process that works at the batch. */
  async done(id: string): Promise<Set<number>> {
    return new Set((await this.#redis.hkeys(this.#results(id))).map(Number));
  }

  /** By line number. */
  async results(id: string): Promise<Map<number, LineResult>> {
    const all = await this.#redis.hgetall(this.#results(id));
    return new Map(
      Object.entries(all).map(([line, value]) => [
        Number(line),
        { ok: value.startsWith('1'), line: value.slice(1) },
      ]),
    );
  }

  active(): Promise<string[]> {
    return this.#redis.smembers(this.#active);
  }

  /** The batch is at rest: its results are in files now. */
  async retire(id: string): Promise<void> {
    await this.#redis.multi().srem(this.#active, id).del(this.#results(id)).exec();
  }

  /** One process works at a batch; who takes the lock again renews it. */
  async lock(id: string, owner: string, ms: number): Promise<boolean> {
    const key = `${this.#key(id)}:lock`;
    if ((await this.#redis.set(key, owner, 'PX', ms, 'NX')) !== null) return true;
    if ((await this.#redis.get(key)) !== owner) return false;
    await this.#redis.pexpire(key, ms);
    return true;
  }

  get #active(): string {
    return `${this.#prefix}:batches:active`;
  }

  #key(id: string): string {
    return `${this.#prefix}:batch:${id}`;
  }

  #results(id: string): string {
    return `${this.#prefix}:batch:${id}:results`;
  }

  #index(tenant: string): string {
    return `${this.#prefix}:batches:${tenant}`;
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
