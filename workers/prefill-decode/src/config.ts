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
  ...fleetConfig.constraints,
  ...tracingConfig,
  decoder: Type.Optional(
    Type.String({
      env: 'EPD_DECODER',
      description:
        'Suffix of the decoder graph to load (eager, fp16, q4, ...); without it decoder_model_merged.onnx',
    }),
  ),
  visionEncoder: Type.Optional(
    Type.String({
      env: 'EPD_VISION_ENCODER',
      description:
        'Suffix of the vision graph that the encoders load: its fingerprint is part of every key. It is not loaded here',
    }),
  ),
  threads: Type.Integer({
    env: 'EPD_PD_THREADS',
    default: 0,
    minimum: 0,
    maximum: 256,
    description: 'Threads of the decoder session; 0 lets ONNX Runtime choose',
  }),
  kvCacheBytes: Type.Integer({
    env: 'EPD_KV_CACHE_BYTES',
    default: 512 * MIB,
    minimum: MIB,
    description: 'Memory for the KV cache; slots and their length follow from it',
  }),
  sharePrefixes: Type.Boolean({
    env: 'EPD_SHARE_PREFIXES',
    default: false,
    description:
      "Lets tenants use each other's cached prefixes: a shared system prompt is prefilled once, but cached_tokens and the time to the first token then tell a tenant what others have asked",
  }),
  encoderCacheBytes: Type.Integer({
    env: 'EPD_EMBEDDING_CACHE_BYTES',
    default: 256 * MIB,
    minimum: MIB,
    description: 'Memory for image embeddings that prompts in flight use',
  }),
  diskCacheBytes: Type.Integer({
    env: 'EPD_DISK_CACHE_BYTES',
    default: 0,
    minimum: 0,
    description: 'Disk under EPD_DATA_DIR for embeddings fetched from the store; 0 keeps none',
  }),
  tokenBudgetPerStep: Type.Integer({
    env: 'EPD_STEP_TOKENS',
    default: 256,
    minimum: 16,
    maximum: 65_536,
    description:
      'Tokens that one step computes at most, decodes and prefill chunks together: bounds how long a long prompt holds up other answers',
  }),
  prefillShare: Type.Number({
    env: 'EPD_PREFILL_SHARE',
    default: 0.17,
    exclusiveMinimum: 0,
    maximum: 1,
    description:
      'What prompts may take of the time in which answers are streamed: at 0.17 a token takes 1.2 times as long, at 0.5 twice, until a prompt has waited for EPD_PREFILL_WAIT_MS; 1 holds nothing back',
  }),
  prefillWaitMs: Type.Integer({
    env: 'EPD_PREFILL_WAIT_MS',
    default: 1_000,
    minimum: 0,
    description:
      'A prompt that could be computed is held back for streams no longer than this, or ten times what it takes by itself: past that, throughput comes first',
  }),
  maxBatch: Type.Integer({
    env: 'EPD_MAX_BATCH',
    default: 32,
    minimum: 1,
    maximum: 1024,
    description: 'Sequences that decode together at most',
  }),
  maxHeld: Type.Integer({
    env: 'EPD_MAX_HELD',
    default: 256,
    minimum: 1,
    maximum: 65_536,
    description: 'Jobs held at once: more than slots, for those that wait for an image need none',
  }),
  constraintCompileMs: Type.Integer({
    env: 'EPD_CONSTRAINT_COMPILE_MS',
    default: 5_000,
    minimum: 10,
    description:
      'A constraint that takes longer to compile is refused, and the thread that compiles is replaced: its work is counted, so only a starved machine comes near',
  }),
  constraintMaskMs: Type.Integer({
    env: 'EPD_CONSTRAINT_MASK_MS',
    default: 10_000,
    minimum: 10,
    description:
      'The longest that a step waits for the tokens that a constrained answer may go on with; past it the thread is taken for lost and its answers are resumed anew',
  }),
  promptTimeoutMs: Type.Integer({
    env: 'EPD_PROMPT_TIMEOUT_MS',
    default: 15_000,
    minimum: 100,
    description:
      'What building one prompt (template, tokenizer) may take before its thread is ended and its job fails; a context of 128,000 tokens takes some seconds',
  }),
  runTimeoutMs: Type.Integer({
    env: 'EPD_PD_RUN_TIMEOUT_MS',
    default: 120_000,
    minimum: 100,
    description: 'A step that takes longer hangs: the process ends and others take its jobs',
  }),
  faultHangAtStep: Type.Integer({
    env: 'EPD_FAULT_HANG_AT_STEP',
    default: 0,
    minimum: 0,
    description: 'For tests of the fleet only: the step of the decoder that never ends; 0: none',
  }),
});

export type Config = Readonly<Static<typeof configSchema>>;

export const readPdConfig = (): Config => readConfig(configSchema);
