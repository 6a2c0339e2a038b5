import { FleetStore, type FleetStoreOptions } from './fleet-store.ts';
import { storeStateLogger, type StoreLog } from './log-store-state.ts';

interface Worker {
  readonly config: { readonly prefix: string };
  readonly log: StoreLog;
  /** Exits the process. */
  readonly fail: (error: Error) => void;
}

interface WorkerStore extends Pick<FleetStoreOptions, 'redis' | 'store' | 'name' | 'isNameUnique'> {
  readonly isAtWork: () => boolean;
}

/**
 * A running worker that finds that its store is not the fleet's exits; after a restart, it waits.
 */
export function workerFleetStore({ config, log, fail }: Worker, store: WorkerStore): FleetStore {
  const logChange = storeStateLogger(log);
  return new FleetStore({
    ...store,
    prefix: config.prefix,
    onChange: (state) => {
      logChange(state);
      if (state.verdict === 'other' && store.isAtWork()) fail(new Error(state.reason));
    },
  });
}
