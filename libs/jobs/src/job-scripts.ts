import type { Redis } from 'ioredis';
import { ACCOUNT } from './admission-scripts.ts';
import type { CostBounds } from './admission.ts';

/*
 * One script per atomic change. Events are stored as JSON under the explicit stream id `<seq>-0`, so
 * that the sequence number a client sees is the stream's own order. Each script checks `terminal`,
 * because a terminal record never changes again: that is guarantee 1.
 *
 * A client resends a command when its connection broke before the reply, although the server may
 * have executed it. So each write has its own number (`write`), which is stored with its effect: a
 * repeated write changes nothing and gets the first reply. Others may have written in between, so
 * the record keeps each worker's last claim and the number of every note, of which a job has a few
 * per image.
 */

const COMMON = `
local function terminal(status)
  return status == 'completed' or status == 'failed' or status == 'cancelled' or status == 'expired'
end
local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local function emit(record, events, channel, first, last)
  local count = (last or #ARGV) - first + 1
  if count == 0 then return end
  local before = redis.call('HINCRBY', record, 'seq', count) - count
  for i = 1, count do
    local seq = before + i
    local full = '{"seq":' .. seq .. ',' .. string.sub(ARGV[first + i - 1], 2)
    redis.call('XADD', events, seq .. '-0', 'e', full)
    redis.call('PUBLISH', channel, full)
  end
end
`;

/**
 * KEYS record events index live deadlines idempotency queue account; ARGV `CreateArguments` as JSON, the request
 * without its deadlines, the queued event. Admits and writes the job, or does neither. Returns
 * 'created', the time by the server's clock, and how many jobs are queued ahead of it; 'earlier'
 * and the use of the idempotency key or id; or 'refused', the bound that the cost exceeds and the
 * admitted cost under it. Deadlines are by the sender's clock, which now shows `sentAtMs`. No client
 * can be subscribed yet, so nothing is published. The request stays text: decoding it would round its numbers.
 */
const CREATE = `${COMMON}${ACCOUNT}
local job = cjson.decode(ARGV[1])
local key = job.idempotency
local known = redis.call('HMGET', KEYS[1], 'createdBy', 'createdAtMs', 'status')
local function created(at) return { 'created', tonumber(at), redis.call('ZCOUNT', KEYS[7], '-inf', job.behind) } end
if known[1] == job.write then return created(known[2]) end
if key then
  local earlier = redis.call('GET', KEYS[6])
  if earlier and earlier ~= job.forgotten then return { 'earlier', earlier } end
end
if known[3] then return { 'earlier', job.id } end
local excess = exceeded(KEYS[8], job.tenant, job.cost, job.most.total, job.most.tenant)
if excess then return { 'refused', excess[1], excess[2] } end
if key then redis.call('SET', KEYS[6], key.use, 'PX', key.ttlMs) end
local createdAt = now()
local function byServerClock(time)
  return time and string.format('%.0f', time - job.sentAtMs + createdAt) or 'null'
end
local startBy, endBy = byServerClock(job.startByMs), byServerClock(job.endByMs)
local request = '{"startByMs":' .. startBy .. ',"endByMs":' .. endBy .. ',' .. string.sub(ARGV[2], 2)
local cost = string.format('%.0f', job.cost)
redis.call('HSET', KEYS[1], 'createdAtMs', createdAt, 'status', 'queued', 'stage', 'queued', 'seq', 1,
  'createdBy', job.write, 'request', request, 'tenant', job.tenant, 'cost', cost)
for field, value in pairs(job.fields) do redis.call('HSET', KEYS[1], field, value) end
redis.call('XADD', KEYS[2], '1-0', 'e', '{"seq":1,' .. string.sub(ARGV[3], 2))
redis.call('ZADD', KEYS[3], createdAt, job.id)
redis.call('ZADD', KEYS[4], createdAt, job.id)
local deadline = math.min(tonumber(startBy) or math.huge, tonumber(endBy) or math.huge)
if deadline < math.huge then
  redis.call('ZADD', KEYS[5], deadline, job.id)
  redis.call('HSET', KEYS[1], 'due', deadline)
end
keepAccount(KEYS[8], job.id, job.tenant, job.model, cost, createdAt)
return created(createdAt)
`;

/**
 * KEYS record; ARGV worker version write revision. Returns the fence, the number of claims that
 * were released, the time, the record, the worker of the last claim ('' if none) and whether it
 * released that claim; fence 0 when the job is terminal or gone, -1 when its record is of another
 * version. `waitedMs` adds up how long no worker held it: until the first claim, and after each
 * release.
 */
const CLAIM = `${COMMON}
local own = 'claim:' .. ARGV[1]
local held = redis.call('HMGET', KEYS[1], 'status', 'v', 'handedBack', own, 'waitingSinceMs', 'createdAtMs',
  'worker', 'fence', 'handedBackFence')
if not held[1] or terminal(held[1]) then return { 0, 0, 0, {}, '', 0 } end
if held[2] and held[2] ~= ARGV[2] then return { -1, 0, 0, {}, '', 0 } end
local at = now()
local fence, by, gaveItBack, before = string.match(held[4] or '', '^(%d+) (%S+) (%d) (.*)$')
if by ~= ARGV[3] then
  gaveItBack, before = held[8] == held[9] and 1 or 0, held[7] or ''
  fence = redis.call('HINCRBY', KEYS[1], 'fence', 1)
  local since = held[5] or (fence == 1 and held[6] or at)
  redis.call('HINCRBY', KEYS[1], 'waitedMs', math.max(0, at - since))
  redis.call('HDEL', KEYS[1], 'waitingSinceMs')
  redis.call('HSETNX', KEYS[1], 'startedAtMs', at)
  local claim = table.concat({ fence, ARGV[3], gaveItBack, before }, ' ')
  redis.call('HSET', KEYS[1], 'status', 'in_progress', 'worker', ARGV[1], own, claim, 'claimRevision', ARGV[4])
end
local record = redis.call('HGETALL', KEYS[1])
return { tonumber(fence), tonumber(held[3] or '0'), at, record, before, tonumber(gaveItBack) }
`;

/**
 * KEYS record; ARGV fence. Releases a claim whose worker is alive: it does not count as a loss,
 * even if this is written late, after another worker's claim.
 */
const HAND_BACK = `${COMMON}
local fence = tonumber(redis.call('HGET', KEYS[1], 'fence') or '0')
if fence < tonumber(ARGV[1]) or redis.call('HSETNX', KEYS[1], 'back:' .. ARGV[1], 1) == 0 then return 0 end
redis.call('HINCRBY', KEYS[1], 'handedBack', 1)
if fence == tonumber(ARGV[1]) then
  redis.call('HSET', KEYS[1], 'handedBackFence', ARGV[1], 'waitingSinceMs', now())
end
return 1
`;

/**
 * For each of several jobs, KEYS record events channel; ARGV fence stage begun write tokens count, and `count`
 * events. Returns for each 1, 0 when the claim is void, or its error: a damaged key fails no other job. The
 * first tokens bind a job to the model revision that produced them.
 */
const APPEND = `${COMMON}
local function append(record, events, channel, at)
  local fence, stage, begun, write, tokens = unpack(ARGV, at, at + 4)
  local held = redis.call('HMGET', record, 'status', 'fence', 'lastWrite', 'claimRevision')
  if held[3] == write then return 1 end
  if not held[1] or terminal(held[1]) or held[2] ~= fence then return 0 end
  redis.call('HSET', record, 'lastWrite', write, unpack(stage ~= '' and { 'stage', stage } or {}))
  if begun == '1' then redis.call('HSETNX', record, 'begunAtMs', now()) end
  if tokens == '1' and held[4] and held[4] ~= '' then redis.call('HSETNX', record, 'revision', held[4]) end
  emit(record, events, channel, at + 6, at + 5 + ARGV[at + 5])
  return 1
end
local kept, at = {}, 1
for key = 1, #KEYS, 3 do
  local done, result = pcall(append, KEYS[key], KEYS[key + 1], KEYS[key + 2], at)
  kept[#kept + 1] = done and result or redis.error_reply(type(result) == 'table' and result.err or tostring(result))
  at = at + 6 + ARGV[at + 5]
end
return kept
`;

/** KEYS record events channel; ARGV stage mmHash eventWithoutMs detail write. Fills in `ms` and `item`. */
const NOTE = `${COMMON}
local held = redis.call('HMGET', KEYS[1], 'status', 'createdAtMs', 'items')
if not held[1] or terminal(held[1]) then return 0 end
if redis.call('HSETNX', KEYS[1], 'noted:' .. ARGV[5], 1) == 0 then return 1 end
local ms = now() - tonumber(held[2])
local head = '{"ms":' .. ms .. ','
if ARGV[2] ~= '' then
  local item = cjson.decode(held[3] or '{}')[ARGV[2]]
  if item then
    head = head .. '"item":' .. item .. ','
    redis.call('HSET', KEYS[1], 'note:' .. item .. ':' .. ARGV[1], '{"ms":' .. ms .. ',' .. string.sub(ARGV[4], 2))
  end
end
if held[1] == 'queued' then redis.call('HSET', KEYS[1], 'stage', ARGV[1]) end
ARGV[6] = head .. string.sub(ARGV[3], 2)
emit(KEYS[1], KEYS[2], KEYS[3], 6)
return 1
`;

/**
 * KEYS record events channel ended live deadlines retained webhooks totals webhookDue account; ARGV
 * `FinishArguments` as JSON, event ... The last event is the end; the events before it were not written yet.
 */
const FINISH = `${COMMON}${ACCOUNT}
local job = cjson.decode(ARGV[1])
local held = redis.call('HMGET', KEYS[1], 'status', 'fence', 'tenant', 'webhook', 'endedBy')
if held[5] == job.write then return 1 end
if not held[1] or terminal(held[1]) then return 0 end
if job.fence and tonumber(held[2]) ~= job.fence then return 0 end
local at = now()
if job.stage ~= '' then redis.call('HSET', KEYS[1], 'stage', job.stage) end
if job.begun then redis.call('HSETNX', KEYS[1], 'begunAtMs', at) end
redis.call('HSET', KEYS[1], 'status', job.status, 'ending', job.ending, 'finishedAtMs', at, 'endedBy', job.write)
emit(KEYS[1], KEYS[2], KEYS[3], 2)
redis.call('PEXPIRE', KEYS[1], job.retentionMs)
redis.call('PEXPIRE', KEYS[2], job.retentionMs)
redis.call('ZREM', KEYS[5], job.id)
redis.call('ZREM', KEYS[6], job.id)
closeAccount(KEYS[11], job.id, true, at)
redis.call('ZADD', KEYS[7], at + job.retentionMs, (held[3] or '') .. ' ' .. job.id)
if held[4] then
  redis.call('ZADD', KEYS[8], at, job.id)
  redis.call('PUBLISH', KEYS[10], job.id)
end
redis.call('HINCRBY', KEYS[9], job.status, 1)
redis.call('PUBLISH', KEYS[4], job.id)
return 1
`;

/**
 * KEYS record events index retained, the last two if no place in the lists should remain; ARGV id.
 * Otherwise index entries stay until the record would have expired: a client may continue a list
 * from one.
 */
const REMOVE = `${COMMON}
local held = redis.call('HMGET', KEYS[1], 'status', 'tenant')
if not held[1] or not terminal(held[1]) then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
if KEYS[3] then
  redis.call('ZREM', KEYS[3], ARGV[1])
  redis.call('ZREM', KEYS[4], held[2] .. ' ' .. ARGV[1])
end
return 1
`;

type Arguments = readonly (string | number)[];

/** Arguments of `jobCreate` beside the request. Times are milliseconds by the sender's clock, costs tokens. */
export interface CreateArguments {
  readonly id: string;
  readonly tenant: string;
  readonly model: string;
  readonly cost: number;
  readonly most: CostBounds;
  /** Upper bound of the scores of the jobs ahead of this one in the model's queue, as `ZCOUNT` takes it. */
  readonly behind: string;
  readonly sentAtMs: number;
  readonly startByMs?: number;
  readonly endByMs?: number;
  readonly write: string;
  readonly idempotency?: { readonly use: string; readonly ttlMs: number };
  /** The use of the idempotency key whose job no longer exists. */
  readonly forgotten: string;
  /** The record's other fields. */
  readonly fields: Readonly<Record<string, string>>;
}

/** Arguments of `jobFinish` beside the events. `ending` is stored as it is given. */
export interface FinishArguments {
  readonly id: string;
  readonly fence?: number;
  readonly status: string;
  readonly ending: string;
  readonly retentionMs: number;
  readonly write: string;
  readonly stage: string;
  readonly begun: boolean;
}

/** A Redis client that knows the scripts above. */
export interface JobScripts extends Redis {
  jobCreate(
    keys: number,
    ...rest: Arguments
  ): Promise<
    | ['created', createdAtMs: number, ahead: number]
    | ['earlier', use: string]
    | ['refused', bound: keyof CostBounds, waiting: number]
  >;
  jobClaim(
    keys: number,
    ...rest: Arguments
  ): Promise<
    [
      fence: number,
      handedBack: number,
      atMs: number,
      record: string[],
      before: string,
      gaveItBack: number,
    ]
  >;
  jobHandBack(keys: number, ...rest: Arguments): Promise<number>;
  jobAppend(keys: number, ...rest: Arguments): Promise<(number | Error)[]>;
  jobNote(keys: number, ...rest: Arguments): Promise<number>;
  jobFinish(keys: number, ...rest: Arguments): Promise<number>;
  jobRemove(keys: number, ...rest: Arguments): Promise<number>;
}

export function withJobScripts(redis: Redis): JobScripts {
  redis.defineCommand('jobCreate', { lua: CREATE });
  redis.defineCommand('jobClaim', { lua: CLAIM });
  redis.defineCommand('jobHandBack', { lua: HAND_BACK });
  redis.defineCommand('jobAppend', { lua: APPEND });
  redis.defineCommand('jobNote', { lua: NOTE });
  redis.defineCommand('jobFinish', { lua: FINISH });
  redis.defineCommand('jobRemove', { lua: REMOVE });
  return redis as JobScripts;
}
