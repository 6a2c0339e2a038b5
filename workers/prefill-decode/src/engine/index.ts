import { Engine } from './engine.ts';
import type { EngineOptions } from './engine-options.ts';

export { Engine } from './engine.ts';
export type { EngineOptions } from './engine-options.ts';
export { EngineError, type EngineErrorCode } from './errors.ts';
export type { ECConnector } from './intake.ts';
export { LocalConnector } from './local-connector.ts';
export type {
  EngineEvent,
  EngineImage,
  EngineListener,
  EngineRequest,
  EngineStage,
  EngineStats,
} from './request.ts';

/** Loads the model, in a thread of its own, and starts the engine. */
export function createEngine(options: EngineOptions): Promise<Engine> {
  return Engine.create(options);
}
