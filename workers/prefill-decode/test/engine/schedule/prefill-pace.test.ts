import test from 'ava';
import { PrefillPace, RUN_COST_TOKENS } from '../../../src/engine/schedule/prefill-pace.ts';
import { PrefillRoom } from '../../../src/engine/schedule/prefill-room.ts';
import type { Sequence } from '../../../src/engine/sequences/sequence.ts';

const BUDGET = 256;

/** A sequence as far as pacing looks at it. */
const sequence = (facts: { generated?: number; promptLength?: number } = {}): Sequence =>
  ({ generated: 0, promptLength: 84, readySinceMs: null, ...facts }) as Sequence;

const streams = [sequence({ generated: 50 })];

/** One token costs a millisecond, and a third of the time may go to prompts. */
function paced(waitMs = 1_000): { pace: PrefillPace; at: { ms: number } } {
  const at = { ms: 0 };
  const pace = new PrefillPace({ share: 1 / 3, waitMs }, () => at.ms);
  pace.learn(0, [100], [100 + RUN_COST_TOKENS], 0);
  return { pace, at };
}

/**
 * Steps of 10 ms of decoding each, and what of a prompt of `ready` tokens went into each of them. As in the
 * engine, each step is scheduled before it is known what the one before it took.
 */
function chunks(pace: PrefillPace, steps: number, ready: number): number[] {
  const prompt = sequence();
  pace.begin(prompt);
  let before: { count: number; chargedMs: number } | null = null;
  return Array.from({ length: steps }, () => {
    const count = new PrefillRoom(pace, BUDGET, streams).take(prompt, ready);
    const chargedMs = pace.charge(count > 0 ? [count] : []);
    if (before) settle(pace, before);
    before = { count, chargedMs };
    return count;
  });
}

function settle(pace: PrefillPace, step: { count: number; chargedMs: number }): void {
  const chunk = step.count > 0 ? [step.count] : [];
  pace.learn(1, chunk, [10, step.count + RUN_COST_TOKENS], step.chargedMs);
}

test('beside streams, prompts take the share of the time that they are allowed', (t) => {
  const { pace } = paced();
  const taken = chunks(pace, 300, 1_000);
  const prefillMs = taken.reduce(
    (sum, count) => sum + (count > 0 ? count + RUN_COST_TOKENS : 0),
    0,
  );
  const share = prefillMs / (prefillMs + 300 * 10);
  t.true(share > 0.3 && share <= 1 / 3 + 0.01, `${share}`);
});

test('what was earned while no prompt came is no long pause later', (t) => {
  const { pace } = paced();
  for (let step = 0; step < 1_000; step++) pace.learn(1, [], [10], 0);
  t.true(pace.affordable(streams) <= 4 * RUN_COST_TOKENS);
});

test('nothing is held back without streams, beside answers of a few words, or before a measurement', (t) => {
  const { pace } = paced();
  t.is(pace.affordable([]), Infinity);
  t.is(pace.affordable([sequence({ generated: 3 })]), Infinity);
  t.is(new PrefillPace({ share: 0.1, waitMs: 0 }).affordable(streams), Infinity);
});

test('a prompt that has waited for its limit is held back no more', (t) => {
  const { pace, at } = paced();
  const prompt = sequence();
  pace.begin(prompt);
  at.ms = 999;
  t.is(new PrefillRoom(pace, BUDGET, streams).take(prompt, 84), 0);
  at.ms = 1_000;
  t.is(new PrefillRoom(pace, BUDGET, streams).take(prompt, 84), 84);
});

test('a prompt that takes long by itself waits for longer', (t) => {
  const { pace, at } = paced(10);
  const prompt = sequence({ promptLength: 484 });
  pace.begin(prompt);
  at.ms = 4_999;
  t.false(pace.isOverdue(prompt, 484));
  at.ms = 5_000;
  t.true(pace.isOverdue(prompt, 484));
});

test('the wait for an image is no wait for the decoder', (t) => {
  const { pace, at } = paced();
  const prompt = sequence();
  pace.begin(prompt);
  at.ms = 5_000;
  t.false(pace.isOverdue(prompt, 0));
  t.false(pace.isOverdue(prompt, 84));
});

test('a step takes no more prompts than its budget, in chunks that are worth a run', (t) => {
  const { pace } = paced();
  const room = new PrefillRoom(pace, 100, []);
  t.is(room.take(sequence(), 90), 90);
  t.is(room.take(sequence(), 90), 0);
  t.is(room.take(sequence(), 5), 5);
  t.is(room.taken, 95);
  t.false(room.admits(sequence(), 90));
});
