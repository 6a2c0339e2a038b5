export { cachedModels, removeCachedModel, type CachedModel } from './cached-models.ts';
export { HubError, type HubErrorCode } from './errors.ts';
export { fetchModel, type FetchedModel, type FetchProgress } from './fetch-model.ts';
export { hubSettings, hubVariables, type HubSettings } from './hub-settings.ts';
export { GRAPHS, parseModelName, precisionOf, type Graph, type ModelName } from './model-name.ts';
export { modelSource, type ModelSource } from './model-source.ts';
