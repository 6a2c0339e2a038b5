/** One step of lower urgency ranks a job as if it had been submitted this much later. */
const AGE_PER_PRIORITY_MS = 5 * 60_000;
/** Start of 2026. BullMQ accepts ranks up to 2^21: at five minutes each they last until 2045. */
const EPOCH_MS = 1_767_225_600_000;
/** Offset of priorities, -100 to 100, so that ranks begin at 1. */
const OFFSET = 101;
const MAX_RANK = 2 ** 21 - 1;

/**
 * BullMQ's priority of a job, lower first. Queued work ages: a stream of urgent jobs overtakes
 * queued ones only for as long as the difference of their priorities is worth. The rank depends
 * only on the job's record, so that a requeued job keeps its place.
 */
export function queuePriority(priority: number, createdAtMs: number): number {
  const age = Math.max(0, Math.floor((createdAtMs - EPOCH_MS) / AGE_PER_PRIORITY_MS));
  return Math.min(MAX_RANK, age + priority + OFFSET);
}
