export { DataMark } from './data-mark.ts';
export {
  ModelCard,
  type Announced,
  type ModelRegistry,
  type ModelRevision,
  type WorkerRole,
} from './model-registry.ts';
export { FleetStore, fleetStoreKey, type StoreState, type StoreVerdict } from './fleet-store.ts';
export { storeStateLogger } from './log-store-state.ts';
export { RedisModelRegistry } from './redis-model-registry.ts';
export { ResidentImages } from './resident-images.ts';
export { readStoreId } from './store-identity.ts';
export { workerFleetStore } from './worker-fleet-store.ts';
