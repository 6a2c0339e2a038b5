import type { EncodeRequester, ObjectStore } from '@epd/connector';
import type { NoticePublisher } from '@epd/image-index';
import type { JobStore } from '@epd/jobs';
import type { JobEnder } from './jobs/job-ender.ts';
import type { Acceptor } from './accept/acceptor.ts';
import type { ApiKeys } from './auth/api-keys.ts';
import type { Authenticator } from './auth/authenticator.ts';
import type { Tenants } from './auth/tenants.ts';
import type { BatchInputs } from './batches/batch-inputs.ts';
import type { BatchStore } from './batches/batch-store.ts';
import type { ImageIndex } from './images/image-index.ts';
import type { ImageVectors } from './images/image-vectors.ts';
import type { Uploads } from './files/uploads.ts';
import type { Files } from './files/files.ts';
import type { MemoryBudget } from '../http/memory-budget.ts';
import type { FleetLookout } from './metrics/fleet-metrics.ts';
import type { Throughput } from './limits/throughput.ts';
import type { RateLimiter } from './limits/rate-limiter.ts';
import type { ModelDirectory } from './models/model-directory.ts';
import type { JobReader } from './jobs/job-reader.ts';
import type { WebhookRules } from './webhooks/webhook-rules.ts';
import type { WebhookSecrets } from './webhooks/webhook-secrets.ts';

/** What the routes work with. */
export interface Services {
  readonly jobs: JobStore;
  readonly models: ModelDirectory;
  readonly inputs: ObjectStore;
  readonly encodes: Pick<EncodeRequester, 'request' | 'release'>;
  readonly acceptor: Acceptor;
  readonly ender: JobEnder;
  readonly reader: JobReader;
  readonly files: Files;
  readonly uploads: Uploads;
  readonly keys: ApiKeys;
  readonly tenants: Tenants;
  readonly authenticator: Authenticator;
  readonly limiter: RateLimiter;
  readonly throughput: Throughput;
  readonly memory: MemoryBudget;
  readonly lookout: Pick<FleetLookout, 'look'>;
  readonly batches: BatchStore;
  readonly images: ImageIndex;
  readonly vectors: ImageVectors;
  /** Null: the fleet keeps no index of images. */
  readonly notices: NoticePublisher | null;
  readonly batchInputs: BatchInputs;
  readonly webhookRules: WebhookRules;
  /** Null: webhooks are not configured. */
  readonly webhookSecrets: WebhookSecrets | null;
}
