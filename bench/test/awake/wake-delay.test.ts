import test from 'ava';
import { wakeDelayMs } from '../../src/awake/wake-delay.ts';

test('a sleeper is woken late, not early, and its delay is in milliseconds', (t) => {
  const beganMs = performance.now();
  const delayMs = wakeDelayMs();
  const tookMs = performance.now() - beganMs;
  t.true(delayMs > 0);
  // A tenth of the sleeps were at least as late, and none was shorter than it should.
  t.true(tookMs > 300 + 30 * delayMs);
});
