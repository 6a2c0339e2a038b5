export { cachedModels, removeCachedModel, type CachedModel } from './cached-models.ts';
export { HubError, type HubErrorCode } from './errors.ts';
export type { FetchProgress } from './fetch-model.ts';
export { hubSettings, modelVariables, type HubSettings, type ModelConfig } from './hub-settings.ts';
export { GRAPHS, parseModelName, precisionOf, type Graph, type ModelName } from './model-name.ts';
export { openServiceModel } from './open-service-model.ts';
export type { PlannedGraph } from './plan-files.ts';
export { openModel, type OpenedModel, type OpenOptions } from './open-model.ts';
