import test from 'ava';
import { servePlan } from '../../src/load/serve-plan.ts';
import { RATIOS_AT } from '../../src/load/served.ts';

test('the concurrency that ratios are computed for is measured more than once, if the model is light', (t) => {
  for (const full of [false, true]) {
    const step = servePlan({ full }, false).find(({ concurrency }) => concurrency === RATIOS_AT);
    t.true((step?.rounds ?? 0) >= 3);
  }
});

test('every reader has a request at least, for any model', (t) => {
  const plans = [false, true].flatMap((full) => [
    servePlan({ full }, false),
    servePlan({ full }, true),
  ]);
  t.true(plans.flat().every(({ requests, concurrency }) => requests >= concurrency));
  t.true(plans.every((plan) => plan.some(({ concurrency }) => concurrency === RATIOS_AT)));
});
