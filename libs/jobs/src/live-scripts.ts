import { redisScript } from '@epd/connector';
import { ACCOUNT } from './admission-scripts.ts';

/*
 * Redis may lose parts of a live job, one key at a time: its entry in the live set, its deadline,
 * its cost in the account, its queue entry. The record implies all of them; these scripts find and
 * restore them.
 */

/**
 * KEYS account deadlines; ARGV start of a record's key, then an id and the key of its queue, or '' where it is
 * not known, ... Returns the ids that lack something. BullMQ's keys of a queue lie below the queue's.
 */
export const lookScript = redisScript(`
local function isQueued(queue, id)
  if redis.call('EXISTS', queue .. ':' .. id) == 0 then return false end
  return redis.call('ZSCORE', queue .. ':prioritized', id) or redis.call('LPOS', queue .. ':active', id)
    or redis.call('ZSCORE', queue .. ':delayed', id) or redis.call('LPOS', queue .. ':wait', id)
end
local lacking = {}
for at = 2, #ARGV, 2 do
  local id, queue = ARGV[at], ARGV[at + 1]
  local held = redis.call('HMGET', ARGV[1] .. id, 'status', 'due')
  local sound = (held[1] == 'queued' or held[1] == 'in_progress')
    and queue ~= '' and redis.call('HEXISTS', KEYS[1], 'job:' .. id) == 1 and isQueued(queue, id)
    and (not held[2] or redis.call('ZSCORE', KEYS[2], id))
  if not sound then table.insert(lacking, id) end
end
return lacking`);

/**
 * KEYS record live deadlines account; ARGV id model. Restores what a live job lacks, except its
 * queue entry.
 */
export const keepScript = redisScript(`${ACCOUNT}
local held = redis.call('HMGET', KEYS[1], 'status', 'createdAtMs', 'due', 'tenant', 'cost')
if held[1] ~= 'queued' and held[1] ~= 'in_progress' then return 0 end
redis.call('ZADD', KEYS[2], 'NX', held[2], ARGV[1])
if held[3] then redis.call('ZADD', KEYS[3], 'NX', held[3], ARGV[1]) end
keepAccount(KEYS[4], ARGV[1], held[4], ARGV[2], held[5] or '0', now)
return 1`);

/**
 * KEYS record live deadlines account; ARGV id. Removes the live entries of a job that has ended or
 * is gone.
 */
export const dropScript = redisScript(`${ACCOUNT}
local status = redis.call('HGET', KEYS[1], 'status')
if status == 'queued' or status == 'in_progress' then return 0 end
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
closeAccount(KEYS[4], ARGV[1], status, now)
return 1`);
