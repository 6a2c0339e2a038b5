export {
  ConnectorConfigError,
  ConnectorError,
  ObjectTooLargeError,
  SafetensorsError,
  StoreKeyError,
  StoreUnavailableError,
} from './errors.ts';
export {
  CompletionEvent,
  EncodeJob,
  EncodeTimings,
  GenerateJob,
  IndexedItem,
  InputRef,
  ItemError,
  MESSAGE_VERSION,
  type Modality,
  encodeJobId,
  isFrame,
  modalityOf,
  encodeQueueName,
  generateQueueName,
} from './messages.ts';
export type { Embedding, EmbeddingDtype, EmbeddingSpec } from './embedding.ts';
export {
  bytesPerElement,
  embeddingBytes,
  fromFloat32,
  isEmbeddingDtype,
  toFloat32,
} from './dtype.ts';
export { toSharedBytes } from './shared-bytes.ts';
export {
  EMBEDDING_FILE,
  INPUT_PREFIX,
  embeddingKey,
  hashFields,
  inputKey,
  isInputKey,
  mmHash,
  mmHashOfKey,
  sha256Hex,
  type MmHashInput,
} from './keys.ts';
export { pooledVector, vectorFromText, vectorToText } from './pooled-vector.ts';
export { payloadTag } from './payload-tag.ts';
export { keyName } from './key-name.ts';
export { canonicalJson } from './canonical-json.ts';
export { redisScript } from './redis-script.ts';
export { serverTimeMs } from './server-clock.ts';
export {
  readSafetensors,
  writeSafetensors,
  type SafetensorsFile,
  type SafetensorsTensor,
} from './safetensors.ts';
export { Lazy } from './lazy.ts';
export { Semaphore } from './semaphore.ts';
export type {
  ByteRange,
  ListedObject,
  ObjectStat,
  ObjectStore,
  PutOptions,
  PutResult,
} from './stores/object-store.ts';
export { decompressed } from './stores/content-encoding.ts';
export { MemoryStore } from './stores/memory-store.ts';
export { FolderStore, type FolderStoreOptions } from './stores/folder-store.ts';
export { BoundedStore } from './stores/bounded-store.ts';
export { TieredStore, type Tier, type TieredRead } from './stores/tiered-store.ts';
export { createObjectStore, type ObjectStoreConfig } from './stores/create-object-store.ts';
export {
  EmbeddingStore,
  type EmbeddingStoreOptions,
  type LoadResult,
  type SaveResult,
} from './embeddings/embedding-store.ts';
export { readEmbeddingFile, writeEmbeddingFile } from './embeddings/embedding-file.ts';
export { NO_METRICS, type ConnectorMetrics } from './metrics.ts';
export { RedisSingleFlight, type RedisSingleFlightOptions } from './encodes/redis-single-flight.ts';
export {
  EncodeRequester,
  type EncodeRequest,
  type EncodeRequesterOptions,
  type Recheck,
} from './encodes/encode-requester.ts';
export {
  CompletionPublisher,
  CompletionReader,
  completionStreamKey,
  parseCompletionEvent,
  type CompletionListener,
  type CompletionReaderOptions,
} from './encodes/completion-events.ts';
export {
  EmbeddingUsage,
  type EmbeddingLabels,
  type EmbeddingUsageOptions,
  type UsageEntry,
} from './lifetime/embedding-usage.ts';
export {
  EmbeddingSweeper,
  type EmbeddingSweeperOptions,
  type SweepResult,
} from './lifetime/embedding-sweeper.ts';
export { RedisLock } from './lifetime/redis-lock.ts';
export { ElectedTask } from './lifetime/elected-task.ts';
export type { Begun, FlightState, SingleFlight } from './encodes/single-flight.ts';
export type {
  ECConnectorMetadata,
  ECConnectorOutput,
  ECRequest,
  ECRole,
  ECSchedulerConnector,
  ECWorkerConnector,
  EncoderCache,
  LoadReport,
  MultiModalFeature,
  SaveReport,
} from './ec/ec-connector.ts';
export type { ECConnector, ECConnectorMaker, ECServices } from './ec/ec-services.ts';
export {
  ECTransferConfig,
  isConsumer,
  isProducer,
  parseTransferConfig,
} from './ec/transfer-config.ts';
export { createECConnector, registerECConnector } from './ec/connector-factory.ts';
export { createStoreECConnector } from './ec/store-ec-connector.ts';
export { StoreECScheduler, type StoreECSchedulerOptions } from './ec/store-ec-scheduler.ts';
export { StoreECWorker, type StoreECWorkerOptions } from './ec/store-ec-worker.ts';
export { EncoderCacheManager } from './ec/encoder-cache-manager.ts';
export { withConnectorStep } from './ec/connector-step.ts';
export { lastUses } from './ec/last-use.ts';
export { isQueued, lockOptions, moveBack, putBack } from './queue-messages.ts';
export { queuePriority } from './queue-priority.ts';
