import type { Redis } from 'ioredis';

/**
 * When what was held back goes out. `tick`: as soon as nothing is left to do at once, which a thread that
 * is never idle comes to as well. `turn`: when the event loop has been round, so that commands of requests
 * that came together go together.
 */
type Until = 'tick' | 'turn';

/**
 * Commands that are sent together go out in one write to the socket, and each still gets its own reply as
 * it comes. The client's `enableAutoPipelining` does so too, but holds back what comes next until all
 * replies of a batch are there, and makes an object of every command's name for each batch.
 */
export function batchWrites(redis: Redis, until: Until): Redis {
  const send = redis.sendCommand.bind(redis);
  let corked: Redis['stream'] | null = null;
  const release = (): void => {
    corked?.uncork();
    corked = null;
  };
  redis.sendCommand = (...command) => {
    if (corked === null && redis.status === 'ready') {
      corked = redis.stream;
      corked.cork();
      if (until === 'tick') process.nextTick(release);
      else setImmediate(release);
    }
    return send(...command);
  };
  return redis;
}
