import { choose, READY_WITHIN_MS, type Fault } from './fault.ts';

/**
 * Redis has nothing in it any more, and comes back without even its scripts where it dies, too. What was accepted before is lost;
 * what is submitted from then on is not.
 */
export const redisEmptied: Fault = async ({ world, fault }) => {
  await world.redis.flushall();
  const dies = fault.roll % 2 === 0;
  if (dies) world.process('redis').kill();
  world.losses.add({ atMs: performance.now(), job: null });
  await world.ready(READY_WITHIN_MS);
  return dies ? 'Redis flushed and killed: it comes back empty' : 'Redis flushed';
};

/**
 * Of a queue's list of held messages nobody can tell that it was lost, but by messages that nobody holds and
 * that stay: that is in docs/reliability.md.
 */
const UNKNOWN = /:active$/;

/** One key vanishes, as if it had been evicted. Its job, where it is a job's record or stream, may be lost with it. */
export const keyEvicted: Fault = async ({ world, fault }) => {
  const keys = await Array.fromAsync(world.redis.scanStream({ match: `${world.prefix}:*` }));
  const names = [...new Set((keys as string[][]).flat())].filter((key) => !UNKNOWN.test(key));
  if (names.length === 0) return 'no key to evict';
  const key = choose(names.toSorted(), fault.roll);
  const job = new RegExp(`^${world.prefix}:job:(job_\\w+)`).exec(key)?.[1];
  await world.redis.del(key);
  if (job !== undefined) world.losses.add({ atMs: performance.now(), job });
  return `evicted ${key}`;
};
