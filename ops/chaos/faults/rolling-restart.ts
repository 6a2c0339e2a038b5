import { setTimeout as sleep } from 'node:timers/promises';
import { READY_WITHIN_MS, services, type Fault } from './fault.ts';

/** Stops every API process and worker, one after the other, as an upgrade does. */
export const rollingRestart: Fault = async ({ world }) => {
  for (const process of services(world)) {
    await process.restart();
    await sleep(400); // until it has been started again
    await world.ready(READY_WITHIN_MS);
  }
  return 'rolling restart';
};
