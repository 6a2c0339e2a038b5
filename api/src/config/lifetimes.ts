import { Type } from 'typebox';

/** How long is waited for what, and how long what is kept. */
export const lifetimesConfig = {
  storeWaitMs: Type.Integer({
    env: 'EPD_STORE_WAIT_MS',
    default: 10_000,
    minimum: 1,
    description:
      'How long a request waits for the object store, beside what its bytes take, before it is answered 503',
  }),
  s3PublicEndpoint: Type.Optional(
    Type.String({
      env: 'EPD_S3_PUBLIC_ENDPOINT',
      pattern: '^https?://',
      description: 'URL under which callers reach the S3 server, where it is another than ours',
    }),
  ),
  drainMs: Type.Integer({
    env: 'EPD_DRAIN_MS',
    default: 0,
    minimum: 0,
    maximum: 600_000,
    description:
      'How long an API that is told to stop goes on answering while it is not ready, so that a load balancer leaves it; part of EPD_STOP_MS',
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
      'A job waits no longer than this for a model that has had no prefill/decode worker for as long; at least what a scaler takes to bring one up, weights and all',
  }),
  inputTtlS: Type.Integer({
    env: 'EPD_INPUT_TTL_S',
    default: 8 * 86_400,
    minimum: 3_600,
    description:
      'Accepted images that nobody has sent or named for so long are deleted, EPD_RETENTION_S later, unless a live job or an uploaded file refers to them; the default is a day more than an embedding or a name of an image lives',
  }),
  embeddingTtlS: Type.Integer({
    env: 'EPD_EMBEDDING_TTL_S',
    default: 7 * 86_400,
    minimum: 60,
    description: 'Embeddings that nobody has used for so long are deleted',
  }),
  embeddingMaxBytes: Type.Integer({
    env: 'EPD_EMBEDDING_MAX_BYTES',
    default: 0,
    minimum: 0,
    description: 'Bound on all embeddings in the store; beyond it the longest unused go. 0: none',
  }),
};
