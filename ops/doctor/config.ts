import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { modelVariables } from '@epd/hub';
import { fleetConfig, projectPath, readConfig } from '@epd/service';
import { Type, type Static } from 'typebox';

export const doctorConfig = Type.Object({
  ...fleetConfig.redis,
  ...fleetConfig.store,
  ...modelVariables,
  executionProviders: Type.Array(Type.String(), {
    env: 'EPD_EXECUTION_PROVIDERS',
    default: ['cpu'],
    minItems: 1,
    description: 'Execution providers that the workers are to use',
  }),
  decoder: Type.Optional(
    Type.String({ env: 'EPD_DECODER', description: 'Variant of the decoder that is to be used' }),
  ),
  visionEncoder: Type.Optional(
    Type.String({
      env: 'EPD_VISION_ENCODER',
      description: 'Variant of the vision encoder that is to be used',
    }),
  ),
  apiKeys: Type.Array(Type.String(), {
    env: 'EPD_API_KEYS',
    default: [],
    secret: true,
    description: 'Keys as the API has them; the first is tried',
  }),
  apiUrl: Type.Optional(
    Type.String({
      env: 'EPD_API_URL',
      pattern: '^https?://',
      expects: 'a URL that begins with http:// or https://',
      description: 'Address of the API; without it, the API is not asked',
    }),
  ),
});
export type DoctorConfig = Readonly<Static<typeof doctorConfig>>;

/** Where a fleet that `npm start` has brought up says how it was set. */
const STARTED_HERE = '.data/fleet.env';

/**
 * The settings to check, and where they are from: the file that is named, the environment, or, when
 * that names no Redis, the fleet on this machine. Throws ConfigError.
 */
export function readDoctorConfig(
  file: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): { config: DoctorConfig; from: string } {
  if (file !== undefined)
    return { config: readConfig(doctorConfig, { ...env, ...fromFile(file) }), from: file };
  const started = projectPath(STARTED_HERE);
  if (env['EPD_REDIS_URL'] === undefined && existsSync(started)) {
    return {
      config: readConfig(doctorConfig, { ...fromFile(started), ...env }),
      from: STARTED_HERE,
    };
  }
  return { config: readConfig(doctorConfig, env), from: 'the environment' };
}

function fromFile(path: string): Record<string, string | undefined> {
  return { ...parseEnv(readFileSync(projectPath(path), 'utf8')) };
}
