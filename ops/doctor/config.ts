import { modelVariables } from '@epd/hub';
import { fleetConfig } from '@epd/service';
import { Type, type Static } from 'typebox';

export const doctorConfig = Type.Object({
  ...fleetConfig.redis,
  ...fleetConfig.store,
  ...modelVariables,
  executionProviders: Type.Array(Type.String(), {
    env: 'EPD_EXECUTION_PROVIDERS',
    default: ['cpu'],
    minItems: 1,
    description: 'Execution providers that the workers should use',
  }),
  decoder: Type.Optional(
    Type.String({ env: 'EPD_DECODER', description: 'Variant of the decoder to use' }),
  ),
  visionEncoder: Type.Optional(
    Type.String({
      env: 'EPD_VISION_ENCODER',
      description: 'Variant of the vision encoder to use',
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
      description: 'Address of the API; without it, the API is not checked',
    }),
  ),
});
export type DoctorConfig = Readonly<Static<typeof doctorConfig>>;
