import type { Job } from '@epd/jobs';
import type { BatchLine } from './batch-input.ts';
import type { Batch, LineResult } from './batch-record.ts';

/** What runs a batch's lines: each is a request to the endpoint that the batch names. */
export interface BatchLines {
  /** Submits the line unless it was, and returns its result once there is one. Null: not yet. */
  advance(batch: Batch, index: number, line: BatchLine, leftMs: number): Promise<LineResult | null>;
  /** The line's job; null while it has none. */
  job(batch: Batch, index: number): Promise<Job | null>;
  /** Of a line whose job has ended. */
  result(batch: Batch, line: BatchLine, job: Job): LineResult;
}
