import test from 'ava';
import { Scaler, type ScalerSettings } from '../../simulate/scaler.ts';

const POLL_MS = 15_000;
const settings: ScalerSettings = {
  min: 1,
  max: 10,
  target: 10,
  cooldownSeconds: 60,
  scaleUp: { stabilizationSeconds: 0, pods: 2, percent: 100, periodSeconds: 60 },
  scaleDown: { stabilizationSeconds: 60, pods: 1, percent: 10, periodSeconds: 60 },
};

/** Replicas after each poll, for the metrics seen at them. */
function replicas(
  metrics: readonly number[],
  change: Partial<ScalerSettings> = {},
  start = 1,
): number[] {
  const scaler = new Scaler({ ...settings, ...change });
  let current = start;
  return metrics.map((metric, poll) => (current = scaler.desired(poll * POLL_MS, metric, current)));
}

test('replicas follow the metric up, as fast as the policy lets them', (t) => {
  t.deepEqual(replicas([50, 50, 50, 50, 50]), [3, 3, 3, 3, 5]);
});

test('a metric within a tenth of the target changes nothing', (t) => {
  t.deepEqual(replicas([21, 19], {}, 2), [2, 2]);
});

test('they never pass the most, nor go below the least', (t) => {
  t.deepEqual(replicas([1e6], { scaleUp: { ...settings.scaleUp, pods: 99 } }), [10]);
  t.deepEqual(replicas(Array<number>(60).fill(0), {}, 3).at(-1), 1);
});

test('going down waits for the window and then goes one by one', (t) => {
  const seen = replicas([40, ...Array<number>(12).fill(5)], {}, 4);
  t.deepEqual(seen.slice(0, 5), [4, 4, 4, 4, 4]);
  t.is(seen[5], 3);
  t.deepEqual(seen.slice(5, 10), [3, 3, 3, 3, 2]);
});

test('a short dip between two bursts is ridden out', (t) => {
  t.deepEqual(replicas([40, 0, 0, 40, 0, 0, 40], {}, 4), [4, 4, 4, 4, 4, 4, 4]);
});

test('to zero only after the cooldown, and from zero at the first sign', (t) => {
  const toZero = { min: 0 };
  t.deepEqual(replicas([5, 0, 0, 0, 0, 5], toZero), [1, 1, 1, 1, 0, 1]);
});
