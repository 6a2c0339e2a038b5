import { availableParallelism } from 'node:os';

/**
 * Threads for the model of each of `workers` processes on one machine. ONNX Runtime would give every
 * one of them all cores; then a run waits for whichever of its threads is kept from a core by somebody
 * else's, and takes several times as long.
 */
export function threadsEach(workers: number, cores: number = availableParallelism()): number {
  return Math.max(1, Math.floor(cores / Math.max(1, workers)));
}

/** The settings for it; those already set stay. */
export function coreSettings(
  workers: number,
  given: Readonly<Record<string, string | undefined>> = process.env,
): Record<'EPD_ENCODER_THREADS' | 'EPD_PD_THREADS', string> {
  const threads = String(threadsEach(workers));
  return {
    EPD_ENCODER_THREADS: given['EPD_ENCODER_THREADS'] ?? threads,
    EPD_PD_THREADS: given['EPD_PD_THREADS'] ?? threads,
  };
}
