import { setTimeout as sleep } from 'node:timers/promises';
import { LOCK_MS } from '../world/specs.ts';
import { choose, services, type Fault } from './fault.ts';

/** A stopped worker loses its lock before it wakes; Redis and S3 are only stopped for a while. */
export const pause: Fault = async ({ world, fault }) => {
  const foundations = [world.process('redis'), world.process('s3')];
  const target = choose([...services(world), ...world.named('pd'), ...foundations], fault.roll);
  const ms = foundations.includes(target) ? fault.forMs : 2 * LOCK_MS + fault.forMs;
  target.pause();
  await sleep(ms);
  target.resume();
  return `SIGSTOP ${target.name} for ${ms} ms`;
};
