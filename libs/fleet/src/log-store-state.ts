import type { StoreState } from './fleet-store.ts';

export interface StoreLog {
  info(message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Logs each change of a `FleetStore`: that the store is away or back once each, not once per look. */
export function storeStateLogger(log: StoreLog): (state: StoreState) => void {
  return ({ verdict, reason }) => {
    if (verdict === 'ours') log.info('the object store answers, and is the one of the fleet');
    else if (verdict === 'other')
      log.error({ reason }, 'the object store is not the one of the fleet');
    else log.warn({ reason }, 'the object store is unavailable; retrying');
  };
}
