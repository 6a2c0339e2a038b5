import { percentile } from '../percentiles.ts';

const SLEEPS = 300;
const SLEEP_MS = 1;

/**
 * How much later than it should a sleeper is woken on a core that sleeps, in milliseconds, one time of ten.
 * About 0.1 where the core is the machine's own; a virtual core's host may take its time. Blocks for a third of
 * a second.
 */
export function wakeDelayMs(): number {
  const nobody = new Int32Array(new SharedArrayBuffer(4));
  const delays = Array.from({ length: SLEEPS }, () => {
    const beganMs = performance.now();
    Atomics.wait(nobody, 0, 0, SLEEP_MS);
    return performance.now() - beganMs - SLEEP_MS;
  });
  return percentile(delays, 0.9) ?? 0;
}
