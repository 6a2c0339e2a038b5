import type { CompletionReader } from '../encodes/completion-events.ts';
import type { EmbeddingStore } from '../embeddings/embedding-store.ts';
import type { EncodeRequester } from '../encodes/encode-requester.ts';
import type { ConnectorMetrics } from '../metrics.ts';
import type { ECSchedulerConnector, ECWorkerConnector } from './ec-connector.ts';
import type { ECTransferConfig } from './transfer-config.ts';

/** The services of a process that a connector may use. */
export interface ECServices {
  readonly embeddings: EmbeddingStore;
  /** Fingerprint of the model that this process serves. */
  readonly fingerprint: string;
  /** Width of its embeddings. */
  readonly width: number;
  /**
   * Consumer: requests the encoding of missing items. Without it the connector only waits for them.
   */
  readonly requester?: EncodeRequester;
  /**
   * Consumer: whether a request's waiters are released when it is finished here. False where the process
   * releases them once the request is over in the whole fleet, and others may continue it until then.
   * @default true
   */
  readonly releasesWaiters?: boolean;
  /**
   * Consumer: notifies of new items. Started and stopped by the process. Without it the connector
   * polls for items.
   */
  readonly events?: CompletionReader;
  readonly metrics?: ConnectorMetrics;
  /** Receives background errors that will be retried. */
  readonly onError?: (error: unknown) => void;
}

/** Both sides of a connector in one process. */
export interface ECConnector {
  readonly scheduler: ECSchedulerConnector;
  readonly worker: ECWorkerConnector;
  /** Stops timers, loads and subscriptions once pending saves are durable. */
  shutdown(): Promise<void>;
}

export type ECConnectorMaker = (
  config: ECTransferConfig,
  services: ECServices,
) => ECConnector | Promise<ECConnector>;
