import type { CompletionReader } from '../encodes/completion-events.ts';
import type { EmbeddingStore } from '../embeddings/embedding-store.ts';
import type { EncodeRequester } from '../encodes/encode-requester.ts';
import type { ConnectorMetrics } from '../metrics.ts';
import type { ECSchedulerConnector, ECWorkerConnector } from './ec-connector.ts';
import type { ECTransferConfig } from './transfer-config.ts';

/** What a process has that a connector may use. */
export interface ECServices {
  readonly embeddings: EmbeddingStore;
  /** Of the one model that this process serves. */
  readonly fingerprint: string;
  /** Width of its embeddings. */
  readonly width: number;
  /** Consumer: has missing items encoded. Without it they are waited for. */
  readonly requester?: EncodeRequester;
  /** Consumer: tells of new items. Started and stopped by the process. Without it items are looked for. */
  readonly events?: CompletionReader;
  readonly metrics?: ConnectorMetrics;
  /** What failed behind the process's back and will be tried again. */
  readonly onError?: (error: unknown) => void;
}

/** Both sides of a connector in one process. */
export interface ECConnector {
  readonly scheduler: ECSchedulerConnector;
  readonly worker: ECWorkerConnector;
  /** Ends timers, loads and subscriptions once what is being saved is durable. */
  shutdown(): Promise<void>;
}

export type ECConnectorMaker = (
  config: ECTransferConfig,
  services: ECServices,
) => ECConnector | Promise<ECConnector>;
