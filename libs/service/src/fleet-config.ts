import { Type, type Static, type TObject } from 'typebox';

/**
 * The settings that several services read, with the same names everywhere. A service's schema
 * spreads the parts it needs: `Type.Object({ ...fleetConfig.redis, ...fleetConfig.service, ... })`.
 */
const redis = {
  redisUrl: Type.String({
    env: 'EPD_REDIS_URL',
    default: 'redis://127.0.0.1:6379',
    pattern: '^rediss?://',
    expects: 'a URL like redis://user:password@host:6379/0',
    secret: true,
    description: 'Redis or Valkey that holds queues, jobs and locks (6.2 or newer, noeviction)',
  }),
  prefix: Type.String({
    env: 'EPD_PREFIX',
    default: 'epd',
    pattern: '^[A-Za-z0-9_.{}-]+$',
    expects: 'a word of letters, digits and _.{}-',
    description: 'Prefix of every Redis key: fleets with different prefixes can share a server',
  }),
};

const store = {
  store: Type.Union([Type.Literal('folder'), Type.Literal('s3')], {
    env: 'EPD_STORE',
    default: 'folder',
    description: 'Object store for images and embeddings: a folder that all processes share, or S3',
  }),
  dataDir: Type.String({
    env: 'EPD_DATA_DIR',
    default: '.data',
    path: true,
    description: 'Folder for everything that a process keeps on disk',
  }),
  storeDir: Type.Optional(
    Type.String({
      env: 'EPD_STORE_DIR',
      path: true,
      description: 'Root of the folder store; without it, `store` in EPD_DATA_DIR',
    }),
  ),
  s3Endpoint: Type.Optional(
    Type.String({
      env: 'EPD_S3_ENDPOINT',
      pattern: '^https?://',
      expects: 'a URL that begins with http:// or https://',
      description: 'URL of the S3 server; without it, AWS',
    }),
  ),
  s3Bucket: Type.Optional(
    Type.String({ env: 'EPD_S3_BUCKET', description: 'Bucket; required with s3' }),
  ),
  s3Region: Type.String({ env: 'EPD_S3_REGION', default: 'us-east-1', description: 'Region' }),
  s3AccessKeyId: Type.Optional(
    Type.String({
      env: 'EPD_S3_ACCESS_KEY_ID',
      secret: true,
      description: 'Access key; without it, the credentials that the AWS SDK finds',
    }),
  ),
  s3SecretAccessKey: Type.Optional(
    Type.String({ env: 'EPD_S3_SECRET_ACCESS_KEY', secret: true, description: 'Its secret' }),
  ),
  embeddingKey: Type.Optional(
    Type.String({
      env: 'EPD_EMBEDDING_KEY',
      minLength: 16,
      secret: true,
      description:
        'Key that tags stored embeddings, so that nobody who can write to the store but does not know the key can forge one; the same for all processes. Embeddings that were stored before are encoded again',
    }),
  ),
  s3ForcePathStyle: Type.Boolean({
    env: 'EPD_S3_FORCE_PATH_STYLE',
    default: true,
    description:
      'Bucket in the path, not in the host name (path-style): most servers other than AWS need it',
  }),
};

const service = {
  logLevel: Type.Union(
    (['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const).map((level) =>
      Type.Literal(level),
    ),
    { env: 'EPD_LOG_LEVEL', default: 'info', description: 'Minimum log level' },
  ),
  stopMs: Type.Integer({
    env: 'EPD_STOP_MS',
    default: 25_000,
    minimum: 100,
    maximum: 3_600_000,
    description:
      'Maximum time of a graceful stop in milliseconds; the default fits into the 30 s of Kubernetes',
  }),
};

const metrics = {
  metricsHost: Type.String({
    env: 'EPD_METRICS_HOST',
    default: '127.0.0.1',
    description: 'Address that serves /healthz, /readyz and /metrics; 0.0.0.0 in a container',
  }),
  metricsPort: Type.Integer({
    env: 'EPD_METRICS_PORT',
    default: 0,
    minimum: 0,
    maximum: 65_535,
    description: 'Port of that address; 0: any free one',
  }),
};

/** What both kinds of worker need to run a model and to claim jobs. */
const inference = {
  executionProviders: Type.Array(Type.String(), {
    env: 'EPD_EXECUTION_PROVIDERS',
    default: ['cpu'],
    minItems: 1,
    description: 'ONNX Runtime execution providers in order of preference: cpu, webgpu, cuda, ...',
  }),
  lockMs: Type.Integer({
    env: 'EPD_LOCK_MS',
    default: 6_000,
    minimum: 1_000,
    description:
      'Lock time of claimed jobs in milliseconds: a worker that has not renewed them for this long loses them to another',
  }),
};

/**
 * Limits of constraints on answers: the same for the API that accepts them and the workers that
 * enforce them.
 */
const constraints = {
  constraintBytes: Type.Integer({
    env: 'EPD_CONSTRAINT_BYTES',
    default: 131_072,
    minimum: 1_024,
    description:
      'Maximum JSON text of a schema, pattern or list of choices: it is kept in the job record and sent to threads',
  }),
  constraintDepth: Type.Integer({
    env: 'EPD_CONSTRAINT_DEPTH',
    default: 64,
    minimum: 4,
    maximum: 512,
    description: 'Maximum depth of a schema: it is traversed recursively',
  }),
  constraintKeys: Type.Integer({
    env: 'EPD_CONSTRAINT_KEYS',
    default: 10_000,
    minimum: 10,
    description: 'Maximum members of all objects of a schema together',
  }),
  constraintWork: Type.Integer({
    env: 'EPD_CONSTRAINT_WORK',
    default: 12_000,
    minimum: 1_000,
    description:
      'Maximum automaton states for compiling a constraint or computing a token mask: some microseconds and up to a kilobyte each. Counted, not timed, so that all machines refuse the same constraints',
  }),
};

/** The limits of a configuration that spreads `fleetConfig.constraints`. */
export const constraintLimits = (config: Static<TObject<typeof constraints>>) => ({
  bytes: config.constraintBytes,
  depth: config.constraintDepth,
  keys: config.constraintKeys,
  work: config.constraintWork,
});

const index = {
  index: Type.Boolean({
    env: 'EPD_INDEX',
    default: false,
    description:
      'Whether the fleet keeps an index of its images, for /v1/images; must be the same for the API, encoders and index workers',
  }),
};

export const fleetConfig = { redis, store, service, metrics, inference, constraints, index };

/** What `storeOptions` needs from a configuration that spreads `fleetConfig.store`. */
export type StoreConfig = Static<TObject<typeof store>>;
