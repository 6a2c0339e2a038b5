import { FleetStore, type FleetStoreOptions } from './fleet-store.ts';
import { storeStateLogger, type StoreLog } from './log-store-state.ts';

interface Worker {
  readonly config: { readonly prefix: string };
  readonly log: StoreLog;
  /** Ends the process. */
  readonly fail: (error: Error) => void;
}

interface WorkerStore extends Pick<FleetStoreOptions, 'redis' | 'store' | 'name' | 'isNameUnique'> {
  readonly isAtWork: () => boolean;
}

/** A worker at work that finds itself on another store than its fleet's ends; started again, it waits. */
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
