import type { Batch } from '../../core/batches/batch-record.ts';
import type { BatchStore } from '../../core/batches/batch-store.ts';
import { ApiError } from '../../http/errors.ts';
import type { Tenant } from '../../core/auth/tenant.ts';

/** A tenant's own batch. Throws `batch_not_found`. */
export async function ownBatch(batches: BatchStore, id: string, tenant: Tenant): Promise<Batch> {
  const batch = await batches.get(id);
  if (batch !== null && batch.tenant === tenant.id) return batch;
  throw new ApiError('batch_not_found', `No batch ${JSON.stringify(id)}`);
}
