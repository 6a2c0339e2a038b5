import { fleetConfig, readConfig, tracingConfig } from '@epd/service';
import { Type, type Static } from 'typebox';

const MIB = 1024 * 1024;

export const configSchema = Type.Object({
  ...fleetConfig.redis,
  ...fleetConfig.store,
  ...fleetConfig.service,
  ...fleetConfig.metrics,
  ...tracingConfig,
  indexDir: Type.Optional(
    Type.String({
      env: 'EPD_INDEX_DIR',
      path: true,
      description:
        'Folder of the index that all index workers see; without it, `index` in EPD_DATA_DIR. With EPD_STORE=s3 the index is in the bucket, below index/',
    }),
  ),
  lookEveryS: Type.Integer({
    env: 'EPD_INDEX_LOOK_S',
    default: 300,
    minimum: 1,
    description:
      'How often the writer compares the index with the store, for what no message announced',
  }),
  maxImageBytes: Type.Integer({
    env: 'EPD_MAX_IMAGE_BYTES',
    default: 20 * MIB,
    minimum: 1,
    description: 'Largest image file of which a thumbnail is made',
  }),
  maxImagePixels: Type.Integer({
    env: 'EPD_MAX_IMAGE_PIXELS',
    default: 50_000_000,
    minimum: 1,
    description: 'Largest image in pixels of which a thumbnail is made',
  }),
});

export type Config = Readonly<Static<typeof configSchema>>;

export const readIndexConfig = (): Config => readConfig(configSchema);
