import { redisScript } from '../redis-script.ts';

/**
 * The scripts of `RedisSingleFlight`. KEYS[1] is the flight, a hash of
 *   generation incremented when a flight begins; at least the current time, so that it never
 *   repeats state pending | stored | failed | idle (no waiters left and no encoder has it)
 *   error the last failure encoder the encoder that has claimed it, if any taken how often it was
 *   claimed and not settled and KEYS[2] the waiters, a sorted set by expiry time. A failure is also
 *   kept under its generation, for waiters of that generation that poll late.
 */

const BEGIN_GENERATION = `
local function beginGeneration()
  local last = tonumber(redis.call('HGET', KEYS[1], 'generation') or '0')
  local generation = math.max(last + 1, now)
  redis.call('HSET', KEYS[1], 'generation', generation, 'state', 'pending')
  redis.call('HDEL', KEYS[1], 'error')
  redis.call('DEL', KEYS[2])
  return generation
end`;

const LIVE_WAITERS = `
local function liveWaiters()
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
  return redis.call('ZRANGE', KEYS[2], 0, -1)
end`;

/** Returns generation, 1 for the leader. */
export const JOIN = `${BEGIN_GENERATION}
local function join(waiter, flightTtl, waiterTtl)
  local leader = 0
  if redis.call('HGET', KEYS[1], 'state') ~= 'pending' then
    beginGeneration()
    leader = 1
  end
  redis.call('ZADD', KEYS[2], now + waiterTtl, waiter)
  redis.call('PEXPIRE', KEYS[1], flightTtl)
  redis.call('PEXPIRE', KEYS[2], flightTtl)
  return { redis.call('HGET', KEYS[1], 'generation'), leader }
end`;

/** ARGV: waiter, flight ttl, waiter ttl. */
export const joinScript = redisScript(`${JOIN}
return join(ARGV[1], ARGV[2], ARGV[3])`);

/** Returns the number that remain, and 1 if work without waiters may still be queued. */
export const LEAVE = `${LIVE_WAITERS}
local function leave(waiter)
  redis.call('ZREM', KEYS[2], waiter)
  local remaining = #liveWaiters()
  if remaining > 0 or redis.call('HEXISTS', KEYS[1], 'encoder') == 1 then return { remaining, 0 } end
  local state = redis.call('HGET', KEYS[1], 'state')
  if state == 'pending' then redis.call('HSET', KEYS[1], 'state', 'idle') end
  return { 0, (state == 'pending' or state == 'idle') and 1 or 0 }
end`;

/** ARGV: waiter. */
export const leaveScript = redisScript(`${LEAVE}
return leave(ARGV[1])`);

/** KEYS[3]: a reason not to begin, or none. ARGV: encoder, flight ttl. Returns deaths, waiters, reason. */
export const beginScript = redisScript(`${BEGIN_GENERATION}${LIVE_WAITERS}
local reason = KEYS[3] and redis.call('GET', KEYS[3])
if reason then return { 0, {}, reason } end
if redis.call('HGET', KEYS[1], 'state') ~= 'pending' then beginGeneration() end
local taken = redis.call('HINCRBY', KEYS[1], 'taken', 1)
redis.call('HSET', KEYS[1], 'encoder', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return { taken - 1, liveWaiters() }`);

/** ARGV: encoder, flight ttl. */
export const handBackScript = redisScript(`
if redis.call('HGET', KEYS[1], 'encoder') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'encoder')
if redis.call('HINCRBY', KEYS[1], 'taken', -1) <= 0 then redis.call('HDEL', KEYS[1], 'taken') end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`);

/** ARGV: state, error in JSON or '', settled ttl. Returns waiters. */
export const settleScript = redisScript(`${BEGIN_GENERATION}${LIVE_WAITERS}
local generation = redis.call('HGET', KEYS[1], 'generation') or beginGeneration()
local waiters = liveWaiters()
redis.call('HSET', KEYS[1], 'state', ARGV[1], 'error', ARGV[2])
redis.call('HDEL', KEYS[1], 'encoder', 'taken')
redis.call('DEL', KEYS[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
if ARGV[1] == 'failed' then
  redis.call('SET', KEYS[1] .. ':failed:' .. generation, ARGV[2], 'PX', ARGV[3])
end
return waiters`);

/** Returns state, error. Renews the waiter, if it is not ''. */
export const LOOK = `
local function look(generation, waiter, flightTtl, waiterTtl)
  if redis.call('HGET', KEYS[1], 'generation') ~= generation then
    local error = redis.call('GET', KEYS[1] .. ':failed:' .. generation)
    return error and { 'failed', error } or { 'idle', '' }
  end
  local state = redis.call('HGET', KEYS[1], 'state')
  if state == 'pending' then
    redis.call('PEXPIRE', KEYS[1], flightTtl)
    redis.call('PEXPIRE', KEYS[2], flightTtl)
    if waiter ~= '' then redis.call('ZADD', KEYS[2], 'XX', now + waiterTtl, waiter) end
  end
  return { state, redis.call('HGET', KEYS[1], 'error') or '' }
end`;

/** ARGV: generation, waiter or '', flight ttl, waiter ttl. */
export const lookScript = redisScript(`${LOOK}
return look(ARGV[1], ARGV[2], ARGV[3], ARGV[4])`);

export const waitersScript = redisScript(`${LIVE_WAITERS}
return liveWaiters()`);
