import type { Redis } from 'ioredis';

/**
 * When buffered commands are written. `tick`: as soon as the microtask queue is empty, which also
 * happens on a thread that is never idle. `turn`: after one turn of the event loop, so that
 * commands of requests that arrived together share a write.
 */
type Until = 'tick' | 'turn';

/**
 * Writes commands that are sent together in one write to the socket; each still gets its own reply
 * as it arrives. The client's `enableAutoPipelining` does so too, but delays later commands until
 * all replies of a batch have arrived, and creates an object per command for each batch.
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
