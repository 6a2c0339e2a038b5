import type { Redis } from 'ioredis';

type LuaCommand = (...args: (string | number)[]) => Promise<unknown>;

/** A script as a function; Redis is sent its digest, and its text when it does not know that. */
export function luaScript(
  redis: Redis,
  name: string,
  lua: string,
): (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown> {
  redis.defineCommand(name, { lua });
  // The method that `defineCommand` adds is not in the client's type.
  const command = (redis as unknown as Record<string, LuaCommand>)[name];
  if (command === undefined) throw new TypeError(`Redis did not take the script ${name}`);
  return (keys, args) => command.call(redis, keys.length, ...keys, ...args);
}
