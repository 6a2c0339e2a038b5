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
        'Suffix of the vision graph to load (fp16, q4, ...); without it vision_encoder.onnx. Another one is another fingerprint',
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
    description: 'Tiles that one run of the graph takes; 0 measures at start what is fastest',
  }),
  batchTokens: Type.Integer({
    env: 'EPD_ENCODER_BATCH_TOKENS',
    default: 0,
    minimum: 0,
    description: 'Visual tokens that are encoded together at most; 0: what one run takes',
  }),
  batchItems: Type.Integer({
    env: 'EPD_ENCODER_BATCH_ITEMS',
    default: 32,
    minimum: 1,
    maximum: 256,
    description: 'Images that are encoded together at most',
  }),
  maxImageBytes: Type.Integer({
    env: 'EPD_MAX_IMAGE_BYTES',
    default: 20 * MIB,
    minimum: 1,
    description: "Largest image file; not below the API's, or what it accepted fails here",
  }),
  maxImagePixels: Type.Integer({
    env: 'EPD_MAX_IMAGE_PIXELS',
    default: 50_000_000,
    minimum: 1,
    description: 'Largest image in pixels; more are refused before they are decoded',
  }),
  cacheBytes: Type.Integer({
    env: 'EPD_ENCODER_CACHE_BYTES',
    default: 64 * MIB,
    minimum: 0,
    description: 'Memory for embeddings already saved: saved again, should the store lose them',
  }),
  deathsMax: Type.Integer({
    env: 'EPD_ENCODER_DEATHS_MAX',
    default: 3,
    minimum: 1,
    description: 'Encoders that may die with an image before it is given up as the cause',
  }),
  runTimeoutMs: Type.Integer({
    env: 'EPD_ENCODER_RUN_TIMEOUT_MS',
    default: 120_000,
    minimum: 1_000,
    description:
      'An image that takes longer to be prepared, or encoded, hangs: the process ends and others take its work',
  }),
  faultKillOnSha256: Type.String({
    env: 'EPD_FAULT_KILL_ON_SHA256',
    default: '',
    description: 'For tests of the fleet only: the image file that kills the process',
  }),
  faultHangOnSha256: Type.String({
    env: 'EPD_FAULT_HANG_ON_SHA256',
    default: '',
    description: 'For tests of the fleet only: the image file that is never prepared',
  }),
});

export type Config = Readonly<Static<typeof configSchema>>;

export const readEncoderConfig = (): Config => readConfig(configSchema);
