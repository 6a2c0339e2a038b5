import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './fault.ts';

const EVERY_MS = 15;

/**
 * Completion events vanish: readers are disconnected over and over, and what was announced meanwhile is
 * taken off the stream before they are back.
 */
export const lostEvents: Fault = async ({ world, fault, encodes }) => {
  const endMs = performance.now() + fault.forMs;
  const stream = `${world.prefix}:completions`;
  let lost = 0;
  while (performance.now() < endMs) {
    await disconnectReaders(world.redis);
    lost += await encodes.takeAway(world.redis, stream);
    await sleep(EVERY_MS);
  }
  return `${lost} completion events lost in ${fault.forMs} ms`;
};

async function disconnectReaders(redis: Parameters<Fault>[0]['world']['redis']): Promise<void> {
  const list = String(await redis.client('LIST'));
  const readers = list
    .split('\n')
    .filter((line) => / cmd=xread /.test(line) && !/ name=chaos/.test(line));
  for (const line of readers) {
    const id = /^id=(\d+)/.exec(line)?.[1];
    if (id !== undefined) await redis.client('KILL', 'ID', id);
  }
}
