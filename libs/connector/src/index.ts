export {
  AliasConflictError,
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
  InputRef,
  ItemError,
  MESSAGE_VERSION,
  encodeJobId,
  encodeQueueName,
  generateQueueName,
} from './messages.ts';
export type { Embedding, EmbeddingDtype, EmbeddingSpec } from './embedding.ts';
export type { ObjectStat, ObjectStore, PutResult } from './stores/object-store.ts';
export type { FlightState, SingleFlight } from './single-flight.ts';
export type {
  ECConnectorMetadata,
  ECConnectorOutput,
  ECRequest,
  ECRole,
  ECSchedulerConnector,
  ECWorkerConnector,
  EncoderCache,
  ItemArrival,
  LoadReport,
  MultiModalFeature,
} from './ec/ec-connector.ts';
