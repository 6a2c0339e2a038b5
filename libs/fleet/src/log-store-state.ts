import type { StoreState } from './fleet-store.ts';

export interface StoreLog {
  info(message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Logs each change of a `FleetStore`: an outage and its end once each, not once per check. */
export function storeStateLogger(log: StoreLog): (state: StoreState) => void {
  return ({ verdict, reason }) => {
    if (verdict === 'ours') log.info('object store is available and is the store of the fleet');
    else if (verdict === 'other')
      log.error({ reason }, 'object store is not the store of the fleet');
    else log.warn({ reason }, 'object store is unavailable; retrying');
  };
}
