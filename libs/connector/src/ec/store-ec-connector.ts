import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { ConnectorConfigError } from '../errors.ts';
import type { ECConnector, ECServices } from './ec-services.ts';
import { ProgressSignal } from './progress-signal.ts';
import { StoreECScheduler } from './store-ec-scheduler.ts';
import { StoreECWorker } from './store-ec-worker.ts';
import type { ECTransferConfig } from './transfer-config.ts';

/** `ecConnectorExtraConfig` of the store connector. */
const ExtraConfig = Type.Object({
  /** Poll interval for missing items. Bounds the cost of a lost event. */
  lookAgainMs: Type.Integer({ minimum: 1, default: 2000 }),
  /** Maximum concurrent loads. More would only compete for the same link. */
  maxConcurrentLoads: Type.Integer({ minimum: 1, default: 8 }),
  maxConcurrentSaves: Type.Integer({ minimum: 1, default: 8 }),
  /** Consecutive failed loads of one item before the requests that wait for it fail. */
  maxFailedLoads: Type.Integer({ minimum: 1, default: 5 }),
});

/** The connector whose two sides meet in an object store, for producers, consumers and both. */
export function createStoreECConnector(
  config: ECTransferConfig,
  services: ECServices,
): ECConnector {
  const extra: unknown = Value.Default(ExtraConfig, { ...config.ecConnectorExtraConfig });
  if (!Value.Check(ExtraConfig, extra)) {
    const [first] = Value.Errors(ExtraConfig, extra);
    throw new ConnectorConfigError(
      `ecConnectorExtraConfig${first?.instancePath}: ${first?.message}`,
    );
  }
  const progress = new ProgressSignal();
  const worker = new StoreECWorker({ ...config, ...extra, ...services, progress });
  const scheduler = new StoreECScheduler({
    ...config,
    ...extra,
    ...services,
    progress,
    isHeld: (mmHash) => worker.holds(mmHash),
  });
  return {
    scheduler,
    worker,
    shutdown: async () => {
      await scheduler.shutdown();
      await worker.shutdown();
    },
  };
}
