import type { PlannedFault } from '../plans/plan.ts';
import type { ChaosProcess } from '../world/chaos-process.ts';
import type { EncodeLog } from '../encode-log.ts';
import type { World } from '../world/world.ts';

interface FaultContext {
  readonly world: World;
  readonly fault: PlannedFault;
  readonly encodes: EncodeLog;
}

/** Injects a fault, waits as long as planned, ends it. Returns what it did, for the report. */
export type Fault = (context: FaultContext) => Promise<string>;

/** How long a busy machine may take to bring a process back. */
export const READY_WITHIN_MS = 120_000;

export function choose<T>(items: readonly T[], roll: number): T {
  const item = items[roll % items.length];
  if (item === undefined) throw new RangeError('Nothing to choose from');
  return item;
}

/** Workers and API processes. */
export const services = (world: World): ChaosProcess[] => world.named('api', 'encoder', 'pd');
