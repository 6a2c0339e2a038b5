import { setTimeout as sleep } from 'node:timers/promises';
import { choose, services, type Fault } from './fault.ts';

/** kill -9 of one process, workers more often than the rest, and now and then of two at once. */
export const kill: Fault = async ({ world, fault }) => {
  const often = [...world.named('pd'), ...world.named('encoder')];
  const targets = [...services(world), ...often, world.process('redis'), world.process('s3')];
  const first = choose(targets, fault.roll);
  const second = choose(targets, Math.floor(fault.roll / 100));
  const both = fault.roll % 5 === 0 && second !== first ? [first, second] : [first];
  for (const process of both) process.kill();
  await sleep(fault.forMs);
  return `kill -9 ${both.map(({ name }) => name).join(' and ')}`;
};
