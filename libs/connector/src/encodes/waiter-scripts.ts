import { HOLD } from '../lifetime/usage-scripts.ts';
import { redisScript } from '../redis-script.ts';
import { JOIN, LEAVE, LOOK } from './flight-scripts.ts';

/**
 * The scripts of `EncodeWaiters`: a waiter's entry in the flight and its lease of the item, in one round
 * trip. KEYS: 1 flight, 2 waiters, as in flight-scripts.ts, and of the usage index 3 sizes, 4 the item's
 * label, 5 its leases.
 */

const LABEL = `
local function label(json, ttl)
  if json ~= '' then redis.call('SET', KEYS[4], json, 'PX', ttl) end
end`;

/**
 * KEYS[6]: resident items by expiry time, or none. ARGV: waiter, lease ttl, label in JSON or '', label ttl,
 * flight ttl, waiter ttl, item. Returns 'resident', 'known', or 'joined', generation, 1 for the leader.
 */
export const askScript = redisScript(`${HOLD}${LABEL}${JOIN}
local resident = KEYS[6] and redis.call('ZSCORE', KEYS[6], ARGV[7])
if resident and tonumber(resident) > now then return { 'resident' } end
hold('GT', ARGV[1], ARGV[2])
label(ARGV[3], ARGV[4])
if redis.call('HEXISTS', KEYS[3], ARGV[7]) == 1 then return { 'known' } end
local generation, leader = unpack(join(ARGV[1], ARGV[5], ARGV[6]))
return { 'joined', generation, leader }`);

/**
 * ARGV: waiter, lease ttl, label in JSON or '', label ttl, flight ttl, waiter ttl, generation. Returns state,
 * error.
 */
export const renewScript = redisScript(`${HOLD}${LABEL}${LOOK}
hold('GT', ARGV[1], ARGV[2])
label(ARGV[3], ARGV[4])
return look(ARGV[7], ARGV[1], ARGV[5], ARGV[6])`);

/** ARGV: waiter. Returns what leaving the flight returns. */
export const releaseScript = redisScript(`${LEAVE}
redis.call('ZREM', KEYS[5], ARGV[1])
return leave(ARGV[1])`);
