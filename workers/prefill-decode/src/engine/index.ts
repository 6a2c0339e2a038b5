import { Engine } from './engine.ts';
import type { EngineOptions } from './engine-options.ts';

export { Engine } from './engine.ts';
export type { EngineOptions } from './engine-options.ts';
export { EngineError, type EngineErrorCode } from './errors.ts';
export type { ECConnector } from './images/embedding-loader.ts';
export { LocalConnector } from './images/local-connector.ts';
export type {
  EngineEvent,
  EngineImage,
  EngineListener,
  EngineRequest,
  EngineStage,
  EngineStats,
} from './requests/request.ts';

/** Loads the model, in a thread of its own, and starts the engine. */
export function createEngine(options: EngineOptions): Promise<Engine> {
  return Engine.create(options);
}
