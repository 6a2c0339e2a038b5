import { Type } from 'typebox';

const MIB = 1024 * 1024;

/** What tenants may have and ask for, and all of them together. */
export const quotasConfig = {
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
  tenantBatches: Type.Integer({
    env: 'EPD_TENANT_BATCHES',
    default: 20,
    minimum: 0,
    description: 'Active batches per tenant, unless set for it; 0: no limit',
  }),
  tenantMinPriority: Type.Integer({
    env: 'EPD_TENANT_MIN_PRIORITY',
    default: 0,
    minimum: -100,
    maximum: 100,
    description:
      'Most urgent priority that jobs of a tenant may request, unless set for it; lower runs first. The admin key, and any caller of an API without keys, may request any',
  }),
  tenantOpenRequests: Type.Integer({
    env: 'EPD_TENANT_OPEN_REQUESTS',
    default: 2_000,
    minimum: 0,
    description: 'Open requests per tenant and replica, including event streams; 0: no limit',
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
  defaultMaxTokens: Type.Integer({
    env: 'EPD_DEFAULT_MAX_TOKENS',
    default: 512,
    minimum: 1,
    description: 'Maximum tokens of an answer if the request sets none',
  }),
};
