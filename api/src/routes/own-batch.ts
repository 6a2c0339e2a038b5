import type { Batch } from '../batches/batch-record.ts';
import type { BatchStore } from '../batches/batch-store.ts';
import { ApiError } from '../errors.ts';
import type { Tenant } from '../tenant.ts';

/** A tenant's own batch. Throws `batch_not_found`. */
export async function ownBatch(batches: BatchStore, id: string, tenant: Tenant): Promise<Batch> {
  const batch = await batches.get(id);
  if (batch !== null && batch.tenant === tenant.id) return batch;
  throw new ApiError('batch_not_found', `No batch ${JSON.stringify(id)}`);
}
