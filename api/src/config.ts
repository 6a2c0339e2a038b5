import { ConfigError, fleetConfig, readConfig, tracingConfig } from '@epd/service';
import { Type, type Static } from 'typebox';
import { accessConfig } from './config/access.ts';
import { bodiesConfig } from './config/bodies.ts';
import { lifetimesConfig } from './config/lifetimes.ts';
import { picturesConfig } from './config/pictures.ts';
import { quotasConfig } from './config/quotas.ts';
import { webhooksConfig } from './config/webhooks.ts';
import { MAX_COPIES } from './http/body-parser.ts';
import { isLoopback } from './http/loopback.ts';

export const configSchema = Type.Object({
  ...fleetConfig.redis,
  ...fleetConfig.store,
  ...fleetConfig.service,
  ...fleetConfig.index,
  ...fleetConfig.constraints,
  ...tracingConfig,
  ...accessConfig,
  ...bodiesConfig,
  ...picturesConfig,
  ...quotasConfig,
  ...webhooksConfig,
  ...lifetimesConfig,
});

export type ApiConfig = Readonly<Static<typeof configSchema>>;

/** From the process's environment unless given another. */
export function readApiConfig(env?: Readonly<Record<string, string>>): ApiConfig {
  const config = readConfig(configSchema, env);
  checkMemory(config);
  if (needsKeys(config) || config.open || config.host === 'localhost' || isLoopback(config.host))
    return config;
  const expected =
    'a loopback address, because none of EPD_API_KEYS, EPD_ADMIN_KEY and EPD_OPEN is set';
  throw new ConfigError([{ variable: 'EPD_HOST', expected, value: config.host }]);
}

/** The largest body and the largest file have to fit, or they would never be accepted. */
function checkMemory({ bodyMemoryBytes, maxBodyBytes, maxFileBytes }: ApiConfig): void {
  const least = Math.max(maxBodyBytes * MAX_COPIES, maxFileBytes);
  if (bodyMemoryBytes >= least) return;
  const expected = `at least ${least}: ${MAX_COPIES} times EPD_MAX_BODY_BYTES, and EPD_MAX_FILE_BYTES`;
  throw new ConfigError([
    { variable: 'EPD_BODY_MEMORY_BYTES', expected, value: String(bodyMemoryBytes) },
  ]);
}

/** Whether requests must bring a key. */
export const needsKeys = ({ apiKeys, adminKey }: ApiConfig): boolean =>
  apiKeys.length > 0 || adminKey !== undefined;
