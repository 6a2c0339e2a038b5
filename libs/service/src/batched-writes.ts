import type { Redis } from 'ioredis';

/**
 * Commands that are sent in one turn of the event loop go out in one write to the socket, and each still
 * gets its own reply as it comes. The client's `enableAutoPipelining` does so too, but holds back what
 * comes next until all replies of a batch are there, and makes an object of every command's name for each.
 */
export function batchWrites(redis: Redis): Redis {
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
      setImmediate(release);
    }
    return send(...command);
  };
  return redis;
}
