import { Type } from 'typebox';

/** Time limits of waiting, and lifetimes of what is stored. */
export const lifetimesConfig = {
  storeWaitMs: Type.Integer({
    env: 'EPD_STORE_WAIT_MS',
    default: 10_000,
    minimum: 1,
    description:
      'How long a request waits for the object store, in addition to the transfer time of its bytes, before it is answered 503',
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
};
