/**
 * The admission account, one hash: scripts that admit or end a job update it atomically. Its
 * fields, each fleet-wide and per model (`<field>:<model>`): count, total jobs that have not ended,
 * and their maximum cost in tokens endedCount, endedCost jobs that have ended since the fleet
 * started busyMs how long there was work, up to `changedAtMs` and beside them tenant:<id>
 * maximum cost of a tenant's jobs job:<id> `<cost> <tenant> <model>` of each job that has not
 * ended: it counts once A missing field counts as zero: Redis may lose the account, and
 * `keepAccount` runs again for live jobs.
 */
export const ACCOUNT = `
local function changeWork(account, scope, jobs, cost, ended, at)
  local held = redis.call('HMGET', account, 'count' .. scope, 'changedAtMs' .. scope)
  if held[2] and tonumber(held[1] or '0') > 0 then
    redis.call('HINCRBY', account, 'busyMs' .. scope, math.max(0, at - held[2]))
  end
  redis.call('HSET', account, 'changedAtMs' .. scope, at)
  redis.call('HINCRBY', account, 'count' .. scope, jobs)
  redis.call('HINCRBY', account, 'total' .. scope, jobs * cost + 0) -- not minus zero
  if ended then
    redis.call('HINCRBY', account, 'endedCount' .. scope, 1)
    redis.call('HINCRBY', account, 'endedCost' .. scope, cost)
  end
end
local function exceeded(account, tenant, cost, most, mostOwn)
  local held = redis.call('HMGET', account, 'total', 'tenant:' .. tenant)
  local total, mine = tonumber(held[1] or '0'), tonumber(held[2] or '0')
  if most > 0 and total > 0 and total + cost > most then return { 'total', total } end
  if mostOwn > 0 and mine > 0 and mine + cost > mostOwn then return { 'tenant', mine } end
end
local function keepAccount(account, id, tenant, model, cost, at)
  if redis.call('HSETNX', account, 'job:' .. id, cost .. ' ' .. tenant .. ' ' .. model) == 0 then return end
  redis.call('HINCRBY', account, 'tenant:' .. tenant, cost)
  changeWork(account, '', 1, cost, false, at)
  changeWork(account, ':' .. model, 1, cost, false, at)
end
local function closeAccount(account, id, ended, at)
  local cost, tenant, model = string.match(redis.call('HGET', account, 'job:' .. id) or '', '^(%d+) (%S+) (.*)$')
  redis.call('HDEL', account, 'job:' .. id)
  if not cost then return end
  if redis.call('HINCRBY', account, 'tenant:' .. tenant, 0 - cost) <= 0 then
    redis.call('HDEL', account, 'tenant:' .. tenant)
  end
  changeWork(account, '', -1, cost, ended, at)
  if redis.call('HEXISTS', account, 'count:' .. model) == 1 then
    changeWork(account, ':' .. model, -1, cost, ended, at)
  end
end
`;
