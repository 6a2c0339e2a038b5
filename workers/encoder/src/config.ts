import { modelVariables } from '@epd/hub';
import { fleetConfig, readConfig, tracingConfig } from '@epd/service';
import { Type, type Static } from 'typebox';

const MIB = 1024 * 1024;

export const configSchema = Type.Object({
  ...fleetConfig.redis,
  ...fleetConfig.store,
  ...modelVariables,
  ...fleetConfig.service,
  ...fleetConfig.metrics,
  ...fleetConfig.inference,
  ...fleetConfig.index,
  ...tracingConfig,
  visionEncoder: Type.Optional(
    Type.String({
      env: 'EPD_VISION_ENCODER',
      description:
        'Suffix of the vision graph to load (fp16, q4, ...); without it vision_encoder.onnx. Each variant has its own fingerprint',
    }),
  ),
  threads: Type.Integer({
    env: 'EPD_ENCODER_THREADS',
    default: 0,
    minimum: 0,
    maximum: 256,
    description: 'Threads of the vision session; 0 lets ONNX Runtime choose',
  }),
  tilesPerRun: Type.Integer({
    env: 'EPD_ENCODER_TILES_PER_RUN',
    default: 0,
    minimum: 0,
    maximum: 256,
    description: 'Tiles per run of the graph; 0 measures the fastest number at start',
  }),
  batchTokens: Type.Integer({
    env: 'EPD_ENCODER_BATCH_TOKENS',
    default: 0,
    minimum: 0,
    description: 'Maximum visual tokens per batch; 0: as many as one run takes',
  }),
  batchItems: Type.Integer({
    env: 'EPD_ENCODER_BATCH_ITEMS',
    default: 32,
    minimum: 1,
    maximum: 256,
    description: 'Maximum images per batch',
  }),
  maxImageBytes: Type.Integer({
    env: 'EPD_MAX_IMAGE_BYTES',
    default: 20 * MIB,
    minimum: 1,
    description:
      "Maximum size of an image file; not below the API's, or images that it accepted fail here",
  }),
  maxImagePixels: Type.Integer({
    env: 'EPD_MAX_IMAGE_PIXELS',
    default: 50_000_000,
    minimum: 1,
    description: 'Maximum pixels of an image; larger ones are refused before they are decoded',
  }),
  cacheBytes: Type.Integer({
    env: 'EPD_ENCODER_CACHE_BYTES',
    default: 64 * MIB,
    minimum: 0,
    description:
      'Memory for embeddings that were saved: they are saved again if the store loses them',
  }),
  deathsMax: Type.Integer({
    env: 'EPD_ENCODER_DEATHS_MAX',
    default: 3,
    minimum: 1,
    description:
      'Encoders that may crash while they hold an image before the image fails as the cause',
  }),
  runTimeoutMs: Type.Integer({
    env: 'EPD_ENCODER_RUN_TIMEOUT_MS',
    default: 120_000,
    minimum: 1_000,
    description:
      'An image that takes longer to preprocess or encode counts as hung: the process exits and other encoders claim its work',
  }),
  faultKillOnSha256: Type.String({
    env: 'EPD_FAULT_KILL_ON_SHA256',
    default: '',
    description: 'For fleet tests only: the image file that crashes the process',
  }),
  faultHangOnSha256: Type.String({
    env: 'EPD_FAULT_HANG_ON_SHA256',
    default: '',
    description: 'For fleet tests only: the image file whose preprocessing hangs',
  }),
});

export type Config = Readonly<Static<typeof configSchema>>;

export const readEncoderConfig = (): Config => readConfig(configSchema);
