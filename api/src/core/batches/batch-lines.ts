import type { Job } from '@epd/jobs';
import type { MemoryHold } from '../../http/memory-budget.ts';
import type { BatchLine } from './batch-input.ts';
import type { Batch, LineResult } from './batch-record.ts';

/** Hands the line to `work`, with what it holds of the memory. Null: the file that it stood in is gone. */
export type ReadLine = <T>(
  work: (line: BatchLine, memory: MemoryHold) => T | Promise<T>,
) => Promise<T | null>;

/** What runs a batch's lines: each is a request to the endpoint that the batch names. */
export interface BatchLines {
  /** Submits the line unless it was, and returns its result once there is one. Reads it for nothing else. */
  advance(
    batch: Batch,
    index: number,
    read: ReadLine,
    leftMs: number,
  ): Promise<LineResult | 'waiting' | 'gone'>;
  /** The line's job; null while it has none. */
  job(batch: Batch, index: number): Promise<Job | null>;
  /** Of a line whose job has ended. */
  result(batch: Batch, line: BatchLine, job: Job): LineResult;
}
