import test from 'ava';
import { planSplit, planWhole } from '../../simulate/plan.ts';
import { request, settings, times } from '../helpers/simulation.ts';

const input = {
  times,
  settings,
  objective: { ttftMs: 1_000, tpotMs: 50 },
  prices: { encoder: 1, decoder: 1 },
  lostMax: 0.01,
  most: 4,
};
/** A request with a new image every 45 ms: more than one encoder does one by one. */
const trace = Array.from({ length: 400 }, (_, index) =>
  request({ atMs: index * 45, images: [`i${index}`], outputTokens: 2 }),
);

test('the plan is the cheapest fleet that meets the objective', (t) => {
  const plan = planSplit({ ...input, trace });
  t.truthy(plan);
  t.true(plan!.summary.lostImage <= 4);
  const smaller = planSplit({
    ...input,
    trace,
    most: Math.max(plan!.encoders, plan!.decoders) - 1,
  });
  t.is(smaller, null);
});

test('one of each is enough for next to nothing', (t) => {
  const plan = planSplit({ ...input, trace: [request({ images: ['a'] })] });
  t.like(plan, { encoders: 1, decoders: 1 });
  t.like(planWhole({ ...input, trace: [request()] }), { encoders: 0, decoders: 1 });
});

test('a price shifts the choice to the cheaper kind', (t) => {
  const cheap = planSplit({ ...input, trace, prices: { encoder: 0.01, decoder: 1 } });
  const plain = planSplit({ ...input, trace });
  t.true(cheap!.decoders <= plain!.decoders);
});

test('an objective that nobody can meet has no plan', (t) => {
  t.is(planSplit({ ...input, trace, objective: { ttftMs: 1, tpotMs: 1 } }), null);
});
