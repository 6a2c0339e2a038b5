import type { Redis } from 'ioredis';

const COMMON = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function revisionOf(card)
  return card and cjson.decode(card).revision
end
local function liveOf(holders, revision)
  local live = 0
  for _, holder in ipairs(redis.call('ZRANGEBYSCORE', holders, now, '+inf')) do
    if string.sub(holder, 1, #revision + 1) == revision .. ' ' then live = live + 1 end
  end
  return live
end
`;

/**
 * KEYS leases cards seen revisions holders pinned; ARGV `RenewArguments` as JSON. A card is written when its
 * worker registers, and again whenever it is missing: Redis may have lost it. A card without a revision never
 * replaces one with a revision. A worker of a revision that does not serve has the role `standby`. A pin to an
 * unknown revision is removed. Returns 1 when the model's name points to the revision.
 */
const RENEW = `${COMMON}
local lease = cjson.decode(ARGV[1])
local worker, model, card, revision = lease.worker, lease.model, lease.card, lease.revision
redis.call('ZADD', KEYS[1], now + lease.ms, worker)
redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, now - lease.ms)
redis.call('PEXPIRE', KEYS[1], 4 * lease.ms)
local function see(role) redis.call('ZADD', KEYS[3], now, role .. ' ' .. model) end
local known = redis.call('HGET', KEYS[2], model)
local serving = revisionOf(known)
if not revision then
  see(lease.role)
  if not known or (lease.announced and not serving) then redis.call('HSET', KEYS[2], model, card) end
  return 1
end
redis.call('HSET', KEYS[4], revision, card)
redis.call('ZADD', KEYS[5], now + lease.ms, revision .. ' ' .. worker)
redis.call('ZREMRANGEBYSCORE', KEYS[5], 0, now)
for _, key in ipairs({ KEYS[4], KEYS[5] }) do redis.call('PEXPIRE', key, lease.keptMs) end
local pinned = redis.call('HGET', KEYS[6], model)
local pinnedCard = pinned and redis.call('HGET', KEYS[4], pinned)
if pinned and not pinnedCard and liveOf(KEYS[5], pinned) == 0 then
  redis.call('HDEL', KEYS[6], model)
  pinned = nil
end
local mine = pinned == revision
if not pinned then mine = not serving or serving == revision or liveOf(KEYS[5], serving) == 0 end
if mine then redis.call('HSET', KEYS[2], model, card)
elseif not known and pinnedCard then redis.call('HSET', KEYS[2], model, pinnedCard) end
see(mine and lease.role or lease.standby)
return mine and 1 or 0`;

/**
 * KEYS encoderLeases leases cards holders; ARGV model. Counts live encoders, and live workers of
 * the revision that the name points to.
 */
const COUNT = `${COMMON}
local serving = revisionOf(redis.call('HGET', KEYS[3], ARGV[1]))
return { redis.call('ZCOUNT', KEYS[1], now, '+inf'),
  serving and liveOf(KEYS[4], serving) or redis.call('ZCOUNT', KEYS[2], now, '+inf') }`;

/** KEYS seen; ARGV member. Returns how long ago it was seen, or -1. */
const SINCE = `${COMMON}
local at = redis.call('ZSCORE', KEYS[1], ARGV[1])
return at and now - at or -1`;

/**
 * KEYS cards seen pinned; ARGV keptMs role ... Removes models without any live worker for `keptMs`,
 * with their pins, and returns the cards of the others.
 */
const CARDS = `${COMMON}
local kept = {}
local cards = redis.call('HGETALL', KEYS[1])
for i = 1, #cards, 2 do
  local last = nil
  for role = 2, #ARGV do
    local at = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[role] .. ' ' .. cards[i]) or '0')
    last = math.max(last or 0, at)
  end
  if last > now - ARGV[1] then
    kept[#kept + 1] = cards[i + 1]
  elseif last == 0 then
    redis.call('ZADD', KEYS[2], now, ARGV[2] .. ' ' .. cards[i])
    kept[#kept + 1] = cards[i + 1]
  else
    redis.call('HDEL', KEYS[1], cards[i])
    redis.call('HDEL', KEYS[3], cards[i])
    for role = 2, #ARGV do redis.call('ZREM', KEYS[2], ARGV[role] .. ' ' .. cards[i]) end
  end
end
return kept`;

/** KEYS cards revisions pinned; ARGV model revision ('' unpins). Returns 1, or 0 when it is not registered. */
const SERVE = `
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[3], ARGV[1])
  return 1
end
local card = redis.call('HGET', KEYS[2], ARGV[2])
if not card then return 0 end
redis.call('HSET', KEYS[3], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[1], ARGV[1], card)
return 1`;

/** KEYS holders. Live holders, as `<revision> <worker>`. */
const HOLDERS = `${COMMON}
return redis.call('ZRANGEBYSCORE', KEYS[1], now, '+inf')`;

type Arguments = readonly (string | number)[];

/** Arguments of `leaseRenew`. `card` is stored as it is given. */
export interface RenewArguments {
  readonly worker: string;
  readonly role: string;
  /** The role of a worker whose revision does not serve. */
  readonly standby: string;
  readonly model: string;
  readonly card: string;
  readonly revision?: string;
  /** Whether the worker registers now, and does not only renew. */
  readonly announced: boolean;
  readonly ms: number;
  readonly keptMs: number;
}

export interface RegistryScripts extends Redis {
  leaseRenew(keys: number, ...rest: Arguments): Promise<number>;
  leaseCount(keys: number, ...rest: Arguments): Promise<[encoder: number, prefillDecode: number]>;
  modelSince(keys: number, ...rest: Arguments): Promise<number>;
  modelCards(keys: number, ...rest: Arguments): Promise<string[]>;
  modelServe(keys: number, ...rest: Arguments): Promise<number>;
  modelHolders(keys: number, holders: string): Promise<string[]>;
}

export function withRegistryScripts(redis: Redis): RegistryScripts {
  redis.defineCommand('leaseRenew', { lua: RENEW });
  redis.defineCommand('leaseCount', { lua: COUNT });
  redis.defineCommand('modelSince', { lua: SINCE });
  redis.defineCommand('modelCards', { lua: CARDS });
  redis.defineCommand('modelServe', { lua: SERVE });
  redis.defineCommand('modelHolders', { lua: HOLDERS });
  return redis as RegistryScripts;
}
