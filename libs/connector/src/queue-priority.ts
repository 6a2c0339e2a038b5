/** A job that asks for a priority higher by one is served as though it had been submitted so much later. */
const AGE_PER_PRIORITY_MS = 5 * 60_000;
/** Of 2026. BullMQ takes ranks up to 2^21: at five minutes each they last until 2045. */
const EPOCH_MS = 1_767_225_600_000;
/** Of priorities, -100 to 100, so that ranks begin at 1. */
const OFFSET = 101;
const MAX_RANK = 2 ** 21 - 1;

/**
 * BullMQ's priority of a job, lower first. Waiting work ages: whoever keeps sending urgent jobs goes before those
 * that wait for as long as the difference of their priorities is worth, and no longer. The rank follows from the
 * job's record alone, so that a job which is put back has the place that it had.
 */
export function queuePriority(priority: number, createdAtMs: number): number {
  const age = Math.max(0, Math.floor((createdAtMs - EPOCH_MS) / AGE_PER_PRIORITY_MS));
  return Math.min(MAX_RANK, age + priority + OFFSET);
}
