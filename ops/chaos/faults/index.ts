import type { FaultKind } from '../plans/plan.ts';
import { clock } from './clock.ts';
import { diskTier } from './disk-tier.ts';
import type { Fault } from './fault.ts';
import { kill } from './kill.ts';
import { redisLink, s3 } from './links.ts';
import { keyEvicted, redisEmptied } from './lost-data.ts';
import { lostEvents } from './lost-events.ts';
import { pause } from './pause.ts';
import { rollingRestart } from './rolling-restart.ts';
import { tamper } from './tamper.ts';

/** The server forgets every script: callers have to send a script again. */
const scriptsFlushed: Fault = async ({ world }) => {
  await world.redis.script('FLUSH');
  return 'scripts of Redis flushed';
};

export const faults: Readonly<Record<FaultKind, Fault>> = {
  kill,
  pause,
  s3,
  'redis-link': redisLink,
  'lost-events': lostEvents,
  tamper,
  'disk-tier': diskTier,
  clock,
  'rolling-restart': rollingRestart,
  'scripts-flushed': scriptsFlushed,
  'redis-emptied': redisEmptied,
  'key-evicted': keyEvicted,
};
