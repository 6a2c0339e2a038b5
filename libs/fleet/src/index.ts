export { DataMark } from './data-mark.ts';
export {
  ModelCard,
  type Announced,
  type ModelRegistry,
  type WorkerRole,
} from './model-registry.ts';
export { RedisModelRegistry } from './redis-model-registry.ts';
export { ResidentImages } from './resident-images.ts';
