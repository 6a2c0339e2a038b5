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
  threadsSpin: Type.Boolean({
    env: 'EPD_PD_THREADS_SPIN',
    default: false,
    description:
      "Decoder threads wait for a step's next operator without sleeping: faster where the worker's cores are its own, slower where it shares them. Between steps they sleep in any case",
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
    description: 'Memory for the image embeddings of prompts in flight (the encoder cache)',
  }),
  diskCacheBytes: Type.Integer({
    env: 'EPD_DISK_CACHE_BYTES',
    default: 0,
    minimum: 0,
    description:
      'Disk cache under EPD_DATA_DIR for embeddings loaded from the store; 0 disables it',
  }),
  tokenBudgetPerStep: Type.Integer({
    env: 'EPD_STEP_TOKENS',
    default: 256,
    minimum: 16,
    maximum: 65_536,
    description:
      'Maximum tokens per step, decode and prefill chunks together: bounds how long a long prompt delays other answers',
  }),
  prefillShare: Type.Number({
    env: 'EPD_PREFILL_SHARE',
    default: 0.17,
    exclusiveMinimum: 0,
    maximum: 1,
    description:
      'Share of the time that prefill may take while answers are streamed: at 0.17 a token takes 1.2 times as long, at 0.5 twice, until a prompt has waited for EPD_PREFILL_WAIT_MS; 1 delays no prompt',
  }),
  prefillWaitMs: Type.Integer({
    env: 'EPD_PREFILL_WAIT_MS',
    default: 1_000,
    minimum: 0,
    description:
      'The longest that a ready prompt is delayed for the sake of running streams (or ten times its own prefill time, if longer); after that, throughput comes first',
  }),
  draftTokens: Type.Integer({
    env: 'EPD_DRAFT_TOKENS',
    default: 8,
    minimum: 0,
    maximum: 64,
    description:
      'Maximum tokens drafted for an answer in one step while it copies from its prompt or repeats itself (prompt lookup), verified in the same step; tokens stay the same. Used while at most two answers decode, and only for decoders whose tokens do not depend on what is computed with them; 0 disables it',
  }),
  maxBatch: Type.Integer({
    env: 'EPD_MAX_BATCH',
    default: 32,
    minimum: 1,
    maximum: 1024,
    description: 'Maximum sequences in one decode batch',
  }),
  maxHeld: Type.Integer({
    env: 'EPD_MAX_HELD',
    default: 256,
    minimum: 1,
    maximum: 65_536,
    description:
      'Maximum jobs claimed at once: more than KV slots, because a job that waits for an image needs none',
  }),
  constraintCompileMs: Type.Integer({
    env: 'EPD_CONSTRAINT_COMPILE_MS',
    default: 5_000,
    minimum: 10,
    description:
      'A constraint that takes longer to compile is refused and the compile thread is restarted. Its work is bounded by count, so only an overloaded machine reaches this limit',
  }),
  constraintMaskMs: Type.Integer({
    env: 'EPD_CONSTRAINT_MASK_MS',
    default: 10_000,
    minimum: 10,
    description:
      'The longest that a step waits for the token mask of a constrained answer; after that the mask thread counts as lost and its jobs are resumed by a new claim',
  }),
  promptTimeoutMs: Type.Integer({
    env: 'EPD_PROMPT_TIMEOUT_MS',
    default: 15_000,
    minimum: 100,
    description:
      'Time limit for building one prompt (template, tokenizer); after that its thread is terminated and its job fails. A context of 128,000 tokens takes some seconds',
  }),
  runTimeoutMs: Type.Integer({
    env: 'EPD_PD_RUN_TIMEOUT_MS',
    default: 120_000,
    minimum: 100,
    description:
      'A step that takes longer counts as hung: the process exits and other workers claim its jobs',
  }),
  faultHangAtStep: Type.Integer({
    env: 'EPD_FAULT_HANG_AT_STEP',
    default: 0,
    minimum: 0,
    description: 'For fleet tests only: the number of the decoder step that hangs; 0: none',
  }),
});

export type Config = Readonly<Static<typeof configSchema>>;

export const readPdConfig = (): Config => readConfig(configSchema);
