import test from 'ava';
import { array, assert, integer, property } from 'fast-check';
import { median, percentile, summarize } from '../src/percentiles.ts';

test('a percentile is the smallest sample that the share does not exceed', (t) => {
  const samples = [15, 20, 35, 40, 50];
  t.deepEqual(
    [0, 0.2, 0.3, 0.4, 0.5, 1].map((share) => percentile(samples, share)),
    [15, 15, 20, 20, 35, 50],
  );
});

test('without samples there is nothing to tell', (t) => {
  t.deepEqual(summarize([]), { count: 0, mean: null, p50: null, p90: null, p99: null, max: null });
  t.is(median([]), null);
});

test('the median of an even number of samples lies between the two in the middle', (t) => {
  t.is(median([4, 1, 3, 2]), 2.5);
  t.is(median([3, 1, 2]), 2);
});

test('percentiles are samples, rise with the share and leave the samples in order', (t) => {
  assert(
    property(array(integer(), { minLength: 1 }), (samples) => {
      const copy = [...samples];
      const { p50, p90, p99, max } = summarize(samples);
      t.deepEqual(samples, copy);
      const ranks = [p50, p90, p99, max].map((rank) => rank ?? NaN);
      t.true(ranks.every((rank) => samples.includes(rank)));
      t.deepEqual(
        ranks,
        ranks.toSorted((a, b) => a - b),
      );
    }),
  );
});
