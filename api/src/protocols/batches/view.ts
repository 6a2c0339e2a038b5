import type { Static } from 'typebox';
import type { Batch, BatchStatus } from '../../core/batches/batch-record.ts';
import type { BatchView } from './schema.ts';
import { unixSeconds } from '../../http/unix-seconds.ts';

/** A batch as `/v1/batches` shows it. */
export function batchView(batch: Batch): Static<typeof BatchView> {
  const at = (status: BatchStatus): number | null => {
    const ms = batch.atMs[status];
    return ms === undefined ? null : unixSeconds(ms);
  };
  return {
    id: batch.id,
    object: 'batch',
    endpoint: batch.endpoint,
    errors: batch.problems.length === 0 ? null : { object: 'list', data: [...batch.problems] },
    input_file_id: batch.inputFileId,
    completion_window:
      batch.completionWindow ?? `${Math.round((batch.expiresAtMs - batch.createdAtMs) / 1000)}s`,
    status: batch.status,
    output_file_id: batch.outputFileId,
    error_file_id: batch.errorFileId,
    created_at: unixSeconds(batch.createdAtMs),
    expires_at: unixSeconds(batch.expiresAtMs),
    in_progress_at: at('in_progress'),
    finalizing_at: at('finalizing'),
    completed_at: at('completed'),
    failed_at: at('failed'),
    expired_at: at('expired'),
    cancelling_at: at('cancelling'),
    cancelled_at: at('cancelled'),
    request_counts: { total: batch.total, completed: batch.completed, failed: batch.failed },
    metadata: { ...batch.metadata },
  };
}
