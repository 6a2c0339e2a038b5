import type { Job, JobState, Queue } from 'bullmq';
import type { Redis } from 'ioredis';

/** Renewals that fit into a lock: one that is late, as on a busy machine, loses nothing. */
const RENEWALS_PER_LOCK = 3;
/** Looks for messages whose worker is gone that fit into a lock: what they add to the lock's own time is small. */
const LOOKS_PER_LOCK = 6;

/**
 * How workers hold messages of BullMQ's queues. After `kill -9` another worker gets them when their lock has
 * run out, which takes two thirds to all of `lockMs`, and the next look has come, a sixth of it at most.
 */
export const lockOptions = (lockMs: number) => ({
  lockDuration: lockMs,
  lockRenewTime: Math.floor(lockMs / RENEWALS_PER_LOCK),
  stalledInterval: Math.floor(lockMs / LOOKS_PER_LOCK), // Redis takes whole milliseconds only
  // A message that Redis has lost carries no options: it too goes when it is done, or its id could not come again.
  removeOnComplete: { count: 0 },
  removeOnFail: { count: 0 },
});

/**
 * Puts a message back that a worker holds, and wakes another worker. BullMQ's own move wakes nobody where the
 * message has a priority: idle workers would sleep out their delay of some seconds first.
 */
export async function moveBack(redis: Redis, message: Job, token?: string): Promise<void> {
  await message.moveToWait(token);
  await redis.zadd(`${message.queueQualifiedName}:marker`, 0, '0');
}

/** In which a worker comes to a message, or holds it; a failed or completed one is in none of them. */
const QUEUED: ReadonlySet<JobState | 'unknown'> = new Set([
  'waiting',
  'prioritized',
  'delayed',
  'active',
]);

/** Whether a message waits or is held by a worker: Redis may have lost it, or only its place. */
export async function isQueued(redis: Redis, queue: Queue, id: string): Promise<boolean> {
  const [state, message] = await Promise.all([
    queue.getJobState(id),
    redis.exists(queue.toKey(id)),
  ]);
  return message === 1 && QUEUED.has(state);
}

/**
 * Adds a message that no worker will come to, once what is left of it is removed, which would stand in its
 * way. False: a worker holds it after all.
 */
export async function putBack(
  queue: Queue,
  id: string,
  add: () => Promise<void>,
): Promise<boolean> {
  if ((await queue.remove(id)) === 0) return false;
  await add();
  return true;
}
