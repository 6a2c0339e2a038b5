import { redisScript } from '../redis-script.ts';

/**
 * The scripts of `EmbeddingUsage`. KEYS, all of which every script receives:
 *   1 used    sorted set: item by the time of its last use
 *   2 bytes   hash: size of each item; has the same members as `used`
 *   3 labels  hash: model and tenant of each item, in JSON, where known
 *   4 total   sum of `bytes`
 * and per item
 *   5 lease sorted set: holders, by expiry time 6 label   its label for when it is saved
 */

const FORGET = `
local function forget(item)
  local bytes = redis.call('HGET', KEYS[2], item)
  if bytes then redis.call('DECRBY', KEYS[4], bytes) end
  redis.call('HDEL', KEYS[2], item)
  redis.call('HDEL', KEYS[3], item)
  redis.call('ZREM', KEYS[1], item)
end`;

/**
 * ARGV: item, bytes, time of last use or '' for now, 1 to keep an existing entry. A store whose
 * clock is ahead reports future times: such an item would stay until its time to live after that.
 */
export const recordScript = redisScript(`${FORGET}
local present = redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1
if present and ARGV[4] == '1' then return 0 end
local label = redis.call('GET', KEYS[6]) or redis.call('HGET', KEYS[3], ARGV[1])
forget(ARGV[1])
redis.call('ZADD', KEYS[1], ARGV[3] == '' and now or math.min(now, tonumber(ARGV[3])), ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('INCRBY', KEYS[4], ARGV[2])
if label then redis.call('HSET', KEYS[3], ARGV[1], label) end
return 1`);

/** ARGV: item. */
export const touchScript = redisScript(`
redis.call('ZADD', KEYS[1], 'XX', now, ARGV[1])`);

/**
 * Shortens no lease: neither the holder's own nor, through the key's time to live, those of others.
 */
export const HOLD = `
local function hold(flag, holder, ttl)
  redis.call('ZADD', KEYS[5], flag, now + ttl, holder)
  if redis.call('PTTL', KEYS[5]) < tonumber(ttl) then redis.call('PEXPIRE', KEYS[5], ttl) end
end`;

/** ARGV: holder, lease ttl, label in JSON or '', label ttl. */
export const leaseScript = redisScript(`${HOLD}
hold('GT', ARGV[1], ARGV[2])
if ARGV[3] ~= '' then redis.call('SET', KEYS[6], ARGV[3], 'PX', ARGV[4]) end`);

/** ARGV: holder, lease ttl. A lease that has ended stays ended. */
export const extendLeaseScript = redisScript(`${HOLD}
hold('XX', ARGV[1], ARGV[2])`);

/** ARGV: holder. */
export const endLeaseScript = redisScript(`redis.call('ZREM', KEYS[5], ARGV[1])`);

/**
 * ARGV: item, latest time of last use or '' for any, 1 to ignore leases.
 * Removes the item from the index unless it is leased or was used later. Returns 1 when it did.
 */
export const claimScript = redisScript(`${FORGET}
local used = redis.call('ZSCORE', KEYS[1], ARGV[1])
if ARGV[2] ~= '' and used and tonumber(used) > tonumber(ARGV[2]) then return 0 end
redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', now)
if ARGV[3] ~= '1' and redis.call('ZCARD', KEYS[5]) > 0 then return 0 end
forget(ARGV[1])
return 1`);
