import { ConfigError, fleetConfig, readConfig, tracingConfig } from '@epd/service';
import { Type, type Static } from 'typebox';
import { MAX_COPIES } from './http/body-parser.ts';
import { isLoopback } from './http/loopback.ts';

const MIB = 1024 * 1024;

export const configSchema = Type.Object({
  ...fleetConfig.redis,
  ...fleetConfig.store,
  ...fleetConfig.service,
  ...fleetConfig.index,
  ...fleetConfig.constraints,
  ...tracingConfig,
  host: Type.String({
    env: 'EPD_HOST',
    default: '127.0.0.1',
    description: 'Address to listen on. Without API keys only a loopback address is allowed',
  }),
  port: Type.Integer({
    env: 'EPD_PORT',
    default: 8080,
    minimum: 0,
    maximum: 65_535,
    description: 'Port to listen on; 0: any free one',
  }),
  publicHosts: Type.Array(Type.String({ pattern: '^[A-Za-z0-9._-]+$' }), {
    env: 'EPD_PUBLIC_HOSTS',
    default: [],
    expects: 'host names without scheme or port, separated by commas',
    description:
      'Host names under which callers reach the API, such as epd.example.com. Loopback names are always allowed; with keys or EPD_OPEN also addresses and names of a local network',
  }),
  corsOrigins: Type.Array(Type.String({ pattern: '^https?://[^/]+$' }), {
    env: 'EPD_CORS_ORIGINS',
    default: [],
    expects: 'origins like https://app.example.com, separated by commas',
    description: 'Web pages of other hosts that may call the API, by their origin',
  }),
  maxBodyBytes: Type.Integer({
    env: 'EPD_MAX_BODY_BYTES',
    default: 32 * MIB,
    minimum: 1024,
    description:
      'Largest JSON body: the largest picture as base64, a third larger than it is, and some text',
  }),
  bodyMemoryBytes: Type.Integer({
    env: 'EPD_BODY_MEMORY_BYTES',
    default: 128 * MIB,
    minimum: 65_536,
    description:
      'Maximum bytes of bodies, files and fetched pictures in the memory of the process; above it requests are answered 503 with Retry-After. At least three times EPD_MAX_BODY_BYTES, and EPD_MAX_FILE_BYTES',
  }),
  maxJsonElements: Type.Integer({
    env: 'EPD_MAX_JSON_ELEMENTS',
    default: 100_000,
    minimum: 100,
    description: 'Maximum values in a JSON body: each takes memory many times its length',
  }),
  maxJsonDepth: Type.Integer({
    env: 'EPD_MAX_JSON_DEPTH',
    default: 100,
    minimum: 10,
    maximum: 1_000,
    description: 'Maximum nesting depth of a JSON body',
  }),
  requestTimeoutMs: Type.Integer({
    env: 'EPD_REQUEST_TIMEOUT_MS',
    default: 120_000,
    minimum: 1_000,
    description:
      'Time limit for receiving a whole request, including its body: at the default the largest file needs 7 Mbit/s',
  }),
  tenantFiles: Type.Integer({
    env: 'EPD_TENANT_FILES',
    default: 10_000,
    minimum: 0,
    description: 'Files that a tenant may keep, unless set for it; 0: no limit',
  }),
  tenantFileBytes: Type.Integer({
    env: 'EPD_TENANT_FILE_BYTES',
    default: 20 * 1024 * MIB,
    minimum: 0,
    description: 'Bytes of files that a tenant may keep, unless set for it; 0: no limit',
  }),
  tenantUploads: Type.Integer({
    env: 'EPD_TENANT_UPLOADS',
    default: 100,
    minimum: 0,
    description: 'Uploads by URL that a tenant may have open, unless set for it; 0: no limit',
  }),
  tenantMinPriority: Type.Integer({
    env: 'EPD_TENANT_MIN_PRIORITY',
    default: 0,
    minimum: -100,
    maximum: 100,
    description:
      'Most urgent priority that jobs of a tenant may request, unless set for it; lower runs first. The admin key, and any caller of an API without keys, may request any',
  }),
  tenantBatches: Type.Integer({
    env: 'EPD_TENANT_BATCHES',
    default: 20,
    minimum: 0,
    description: 'Active batches per tenant, unless set for it; 0: no limit',
  }),
  tenantOpenRequests: Type.Integer({
    env: 'EPD_TENANT_OPEN_REQUESTS',
    default: 2_000,
    minimum: 0,
    description: 'Open requests per tenant and replica, including event streams; 0: no limit',
  }),
  maxFileBytes: Type.Integer({
    env: 'EPD_MAX_FILE_BYTES',
    default: 100 * MIB,
    minimum: 1024,
    description: 'Largest uploaded file: a batch of requests, or a picture if its own limit allows',
  }),
  maxImageBytes: Type.Integer({
    env: 'EPD_MAX_IMAGE_BYTES',
    default: 20 * MIB,
    minimum: 1024,
    description: 'Largest picture, as a file',
  }),
  maxImagePixels: Type.Integer({
    env: 'EPD_MAX_IMAGE_PIXELS',
    default: 50_000_000,
    minimum: 1,
    description: 'Maximum pixels of a picture: bounds the cost of decoding',
  }),
  maxImages: Type.Integer({
    env: 'EPD_MAX_IMAGES',
    default: 16,
    minimum: 0,
    description: 'Maximum pictures in a request',
  }),
  defaultMaxTokens: Type.Integer({
    env: 'EPD_DEFAULT_MAX_TOKENS',
    default: 512,
    minimum: 1,
    description: 'Maximum tokens of an answer if the request sets none',
  }),
  storeWaitMs: Type.Integer({
    env: 'EPD_STORE_WAIT_MS',
    default: 10_000,
    minimum: 1,
    description:
      'How long a request waits for the object store, in addition to the transfer time of its bytes, before it is answered 503',
  }),
  fetchTimeoutMs: Type.Integer({
    env: 'EPD_FETCH_TIMEOUT_MS',
    default: 10_000,
    minimum: 1,
    description: 'Time limit for fetching one picture, including redirects',
  }),
  maxFetches: Type.Integer({
    env: 'EPD_MAX_FETCHES',
    default: 32,
    minimum: 1,
    description: 'Maximum concurrent picture fetches; others are queued within their time limit',
  }),
  fetchHttp: Type.Boolean({
    env: 'EPD_FETCH_HTTP',
    default: false,
    description: 'Whether pictures may come over plain http',
  }),
  fetchAllow: Type.Array(Type.String(), {
    env: 'EPD_FETCH_ALLOW',
    default: [],
    description: 'Networks (CIDR) from which pictures may be fetched although they are not public',
  }),
  apiKeys: Type.Array(Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,62}:\\S{16,}$' }), {
    env: 'EPD_API_KEYS',
    default: [],
    secret: true,
    expects: 'tenant:key pairs, separated by commas; keys of 16 characters or more',
    description: 'API keys, in addition to those created with the admin key',
  }),
  adminKey: Type.Optional(
    Type.String({
      env: 'EPD_ADMIN_KEY',
      minLength: 16,
      secret: true,
      description: 'Opens /v1/admin and the queue board; with it, every request needs a key',
    }),
  ),
  open: Type.Boolean({
    env: 'EPD_OPEN',
    default: false,
    description:
      'Allows requests without keys from anyone who can reach the port: for closed networks',
  }),
  requestsPerMinute: Type.Integer({
    env: 'EPD_REQUESTS_PER_MINUTE',
    default: 0,
    minimum: 0,
    description:
      'Jobs, files, uploads and batches that a tenant may submit a minute, unless set for it; 0: no limit',
  }),
  tokensPerMinute: Type.Integer({
    env: 'EPD_TOKENS_PER_MINUTE',
    default: 0,
    minimum: 0,
    description: 'Cost in tokens that a tenant may submit a minute, unless set for it; 0: no limit',
  }),
  tenantWaitingCost: Type.Integer({
    env: 'EPD_TENANT_WAITING_COST',
    default: 0,
    minimum: 0,
    description: 'Queued cost in tokens per tenant, unless set for it; 0: no limit',
  }),
  maxWaitingCost: Type.Integer({
    env: 'EPD_MAX_WAITING_COST',
    default: 4_000_000,
    minimum: 0,
    description: 'Queued cost in tokens in the whole fleet; above it jobs are refused with 429',
  }),
  webhookHosts: Type.Array(Type.String({ minLength: 1 }), {
    env: 'EPD_WEBHOOK_HOSTS',
    default: [],
    description: 'Hosts that webhooks may be sent to: names, or *. and a domain',
  }),
  webhookSecret: Type.Optional(
    Type.String({
      env: 'EPD_WEBHOOK_SECRET',
      minLength: 16,
      secret: true,
      description:
        "Secret from which tenants' signing secrets are derived; without it there are no webhooks",
    }),
  ),
  webhookRetryMs: Type.Integer({
    env: 'EPD_WEBHOOK_RETRY_MS',
    default: 5_000,
    minimum: 1,
    description:
      'Delay before a webhook is retried; it doubles each time, up to about a day in total',
  }),
  s3PublicEndpoint: Type.Optional(
    Type.String({
      env: 'EPD_S3_PUBLIC_ENDPOINT',
      pattern: '^https?://',
      description:
        'URL under which callers reach the S3 server, if it differs from the one of the API',
    }),
  ),
  drainMs: Type.Integer({
    env: 'EPD_DRAIN_MS',
    default: 0,
    minimum: 0,
    maximum: 600_000,
    description:
      'How long a stopping API continues to answer while it is not ready, so that load balancers remove it; part of EPD_STOP_MS',
  }),
  retentionS: Type.Integer({
    env: 'EPD_RETENTION_S',
    default: 3_600,
    minimum: 1,
    description: 'How long a job is kept after it has ended',
  }),
  unservedJobS: Type.Integer({
    env: 'EPD_UNSERVED_JOB_S',
    default: 1_800,
    minimum: 60,
    description:
      'Maximum queue time of a job for a model that has had no prefill/decode worker for as long; at least the time that an autoscaler needs to start one, including loading the weights',
  }),
  inputTtlS: Type.Integer({
    env: 'EPD_INPUT_TTL_S',
    default: 8 * 86_400,
    minimum: 3_600,
    description:
      'Accepted images that were not sent or referenced for this long are deleted, EPD_RETENTION_S later, unless a live job or an uploaded file refers to them; the default is a day longer than the lifetime of an embedding or an image name',
  }),
  embeddingTtlS: Type.Integer({
    env: 'EPD_EMBEDDING_TTL_S',
    default: 7 * 86_400,
    minimum: 60,
    description: 'Embeddings that were unused for this long are deleted',
  }),
  embeddingMaxBytes: Type.Integer({
    env: 'EPD_EMBEDDING_MAX_BYTES',
    default: 0,
    minimum: 0,
    description:
      'Maximum size of all embeddings in the store; above it the least recently used are deleted. 0: unlimited',
  }),
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
