import { checkApi } from './api.ts';
import type { DoctorConfig } from './config.ts';
import type { Finding } from './finding.ts';
import { checkFleetStore } from './fleet-store.ts';
import { checkRedis } from './redis.ts';
import { checkStore } from './store.ts';
import { checkWorkers } from './workers.ts';

/** Everything that the settings name, in the order in which it would be mended. Throws nothing for what fails. */
export async function examine(
  config: DoctorConfig,
  { withModel }: { readonly withModel: boolean },
): Promise<Finding[]> {
  const redis = await checkRedis(config.redisUrl, config.prefix);
  const reachable = redis.length > 1;
  const { findings: model, card } = withModel
    ? await examineModel(config)
    : { findings: [], card: null };
  return [
    ...redis,
    ...(await checkStore(config)),
    ...(reachable ? await checkFleetStore(config) : []),
    ...model,
    ...(reachable ? await checkWorkers(config, card) : []),
    ...(config.apiUrl === undefined ? [] : await checkApi(config.apiUrl, config.apiKeys[0])),
  ];
}

/** Loaded on demand: a host of the API alone has neither a model nor what reads one. */
async function examineModel(config: DoctorConfig) {
  const { checkModel } = await import('./model.ts');
  const { checkProviders } = await import('./providers.ts');
  const { findings, card } = await checkModel(config);
  return { findings: [...findings, ...(await checkProviders(config.executionProviders))], card };
}
