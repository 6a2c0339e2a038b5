import { redisScript } from '@epd/connector';
import type { Redis } from 'ioredis';

/** What a tenant may keep; 0: no bound. */
export interface FileQuota {
  readonly files: number;
  readonly bytes: number;
}

interface Entry {
  readonly tenant: string;
  readonly id: string;
  readonly purpose: string;
}

interface NewEntry extends Entry {
  readonly json: string;
  readonly bytes: number;
  readonly createdAtMs: number;
  /** Null: until it is removed. */
  readonly livesMs: number | null;
}

/** A new entry as the script takes it. */
interface Recorded extends Omit<NewEntry, 'tenant' | 'livesMs'> {
  readonly livesMs?: number;
  readonly most: FileQuota;
}

/**
 * KEYS[1] the tenant's index; its parts are named after it: `:<purpose>` the index of a purpose, `:sizes` bytes by
 * id with their sum as `total`, `:expiries` ids by when they expire.
 */
const FORGET = `
local function forget(id, purpose)
  local bytes = redis.call('HGET', KEYS[1] .. ':sizes', id)
  if bytes then
    redis.call('HDEL', KEYS[1] .. ':sizes', id)
    redis.call('HINCRBY', KEYS[1] .. ':sizes', 'total', -bytes)
  end
  redis.call('ZREM', KEYS[1], id)
  redis.call('ZREM', KEYS[1] .. ':' .. purpose, id)
  redis.call('ZREM', KEYS[1] .. ':expiries', id .. ' ' .. purpose)
end`;

/**
 * KEYS[2] the record; ARGV `Recorded` as JSON. Forgets some of what has expired first. Returns '' when the file is
 * recorded, or what there is too much of.
 */
const addScript = redisScript(`${FORGET}
local file = cjson.decode(ARGV[1])
for _, entry in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1] .. ':expiries', '-inf', now, 'LIMIT', 0, 100)) do
  local id, purpose = string.match(entry, '^(%S+) (%S+)$')
  forget(id, purpose)
end
forget(file.id, file.purpose)
local count = redis.call('ZCARD', KEYS[1])
local total = tonumber(redis.call('HGET', KEYS[1] .. ':sizes', 'total') or '0')
if file.most.files > 0 and count >= file.most.files then return 'files' end
if file.most.bytes > 0 and total + file.bytes > file.most.bytes then return 'bytes' end
redis.call('SET', KEYS[2], file.json)
if file.livesMs then
  redis.call('PEXPIRE', KEYS[2], file.livesMs)
  redis.call('ZADD', KEYS[1] .. ':expiries', now + file.livesMs, file.id .. ' ' .. file.purpose)
end
redis.call('ZADD', KEYS[1], file.createdAtMs, file.id)
redis.call('ZADD', KEYS[1] .. ':' .. file.purpose, file.createdAtMs, file.id)
redis.call('HSET', KEYS[1] .. ':sizes', file.id, file.bytes)
redis.call('HINCRBY', KEYS[1] .. ':sizes', 'total', file.bytes)
return ''`);

/**
 * KEYS[2] the record, [3] where its place in lists is remembered; ARGV id, purpose, how long in ms.
 * A client that pages through a list and deletes its entries continues where the deleted file was.
 */
const removeScript = redisScript(`${FORGET}
local createdAtMs = redis.call('ZSCORE', KEYS[1], ARGV[1])
forget(ARGV[1], ARGV[2])
redis.call('DEL', KEYS[2])
if createdAtMs then redis.call('SET', KEYS[3], createdAtMs, 'PX', ARGV[3]) end
return ''`);

const PLACE_KEPT_MS = 3_600_000;

/** The Redis keys of one tenant's files. */
export const fileKeys = (prefix: string, tenant: string) => ({
  index: `${prefix}:files:${tenant}`,
  record: (id: string) => `${prefix}:file:${tenant}:${id}`,
  place: (id: string) => `${prefix}:file-place:${tenant}:${id}`,
});

/** Records a file within the tenant's quota, or says what there would be too much of. */
export async function recordFile(
  redis: Redis,
  prefix: string,
  entry: NewEntry,
  quota: FileQuota,
): Promise<'files' | 'bytes' | null> {
  const { tenant, livesMs, ...facts } = entry;
  const keys = fileKeys(prefix, tenant);
  const recorded: Recorded = { ...facts, ...(livesMs !== null && { livesMs }), most: quota };
  const named = [keys.index, keys.record(entry.id)];
  const answer = await addScript(redis, named, [JSON.stringify(recorded)]);
  return answer === 'files' || answer === 'bytes' ? answer : null;
}

export async function forgetFile(redis: Redis, prefix: string, entry: Entry): Promise<void> {
  const { tenant, id, purpose } = entry;
  const keys = fileKeys(prefix, tenant);
  const named = [keys.index, keys.record(id), keys.place(id)];
  await removeScript(redis, named, [id, purpose, PLACE_KEPT_MS]);
}
