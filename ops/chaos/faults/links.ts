import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultProxy, ProxyMode } from '../world/fault-proxy.ts';
import type { PlannedFault } from '../plans/plan.ts';
import { choose, type Fault } from './fault.ts';

/** The connection to S3: refused, slow, silent, or cut in the middle of a transfer. */
export const s3: Fault = ({ world, fault }) =>
  breakLink('S3', world.s3Proxy, ['refuse', 'slow', 'silent', 'cut'], fault);

/** The way to Redis: the same, and deaf, where a command is carried out and its reply is lost. */
export const redisLink: Fault = ({ world, fault }) =>
  breakLink('Redis', world.redisProxy, ['deaf', 'refuse', 'slow', 'silent', 'cut'], fault);

async function breakLink(
  name: string,
  proxy: FaultProxy,
  manners: readonly (Exclude<ProxyMode, 'pass'> | 'cut')[],
  { roll, forMs }: PlannedFault,
): Promise<string> {
  const manner = choose(manners, roll);
  if (manner === 'cut') {
    proxy.cut();
    return `every connection to ${name} cut`;
  }
  const delayMs = 20 + (roll % 180);
  await proxy.setMode(manner, delayMs);
  await sleep(forMs);
  await proxy.setMode('pass');
  return `${name} ${manner}${manner === 'slow' ? ` by ${delayMs} ms` : ''} for ${forMs} ms`;
}
