import type { Job, JobState, Queue } from 'bullmq';
import type { Redis } from 'ioredis';

/** Renewals per lock time: a late one, as on a busy machine, does not lose the lock. */
const RENEWALS_PER_LOCK = 3;
/**
 * Stalled checks per lock time: they add little to the time until another worker claims the
 * message.
 */
const LOOKS_PER_LOCK = 6;

/**
 * Lock settings of BullMQ workers. After `kill -9` another worker claims a message when its lock
 * has expired, which takes two thirds to all of `lockMs`, and the next stalled check has run, at
 * most a sixth of it later.
 */
export const lockOptions = (lockMs: number) => ({
  lockDuration: lockMs,
  lockRenewTime: Math.floor(lockMs / RENEWALS_PER_LOCK),
  stalledInterval: Math.floor(lockMs / LOOKS_PER_LOCK), // Redis accepts whole milliseconds only
  // A message that Redis lost carries no options: it too is removed when done, or its id could not
  // be reused.
  removeOnComplete: { count: 0 },
  removeOnFail: { count: 0 },
});

/**
 * Requeues a message that a worker holds, and wakes another worker. BullMQ's own move wakes no
 * worker if the message has a priority: idle workers would sleep for some seconds first.
 */
export async function moveBack(redis: Redis, message: Job, token?: string): Promise<void> {
  await message.moveToWait(token);
  await redis.zadd(`${message.queueQualifiedName}:marker`, 0, '0');
}

/**
 * The states in which a message is queued or claimed; a failed or completed one is in none of them.
 */
const QUEUED: ReadonlySet<JobState | 'unknown'> = new Set([
  'waiting',
  'prioritized',
  'delayed',
  'active',
]);

/**
 * Whether a message is queued or claimed by a worker: Redis may have lost it, or only its queue
 * entry.
 */
export async function isQueued(redis: Redis, queue: Queue, id: string): Promise<boolean> {
  const [state, message] = await Promise.all([
    queue.getJobState(id),
    redis.exists(queue.toKey(id)),
  ]);
  return message === 1 && QUEUED.has(state);
}

/**
 * Requeues a message that no worker would ever claim, after removing its remains, which would block
 * it. False: a worker holds it after all.
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
