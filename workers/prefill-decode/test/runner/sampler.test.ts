import type { Sampling } from '@epd/jobs';
import test from 'ava';
import { uniformAt } from '../../src/runner/random.ts';
import { Sampler } from '../../src/runner/sampler.ts';
import { sampling } from '../helpers/engine.ts';

const LOGITS = [1, 3, 2, 2.5, -1, 0];

function sampler(
  overrides: Partial<Sampling>,
  tokens: { prompt?: number[]; generated?: number[]; endIds?: number[] } = {},
): Sampler {
  const { prompt = [], generated = [], endIds = [] } = tokens;
  const open = { sequence: 0, choice: 0, sampling: sampling(overrides), prompt, generated, endIds };
  return new Sampler(open);
}

/** How often each token is chosen over many seeds. */
function shares(
  overrides: Partial<Sampling>,
  logits: readonly number[] = LOGITS,
  count = 4000,
): number[] {
  const counts = logits.map(() => 0);
  for (let seed = 0; seed < count; seed++) {
    const { id } = sampler({ temperature: 1, ...overrides, seed }).next(Float32Array.from(logits));
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts.map((each) => each / count);
}

function softmax(logits: readonly number[], temperature = 1): number[] {
  const weights = logits.map((logit) => Math.exp(logit / temperature));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

test('temperature 0 takes the likeliest token, the first of equal ones', (t) => {
  t.is(sampler({}).next(Float32Array.from(LOGITS)).id, 1);
  t.is(sampler({}).next(Float32Array.of(1, 2, 2)).id, 1);
});

for (const temperature of [0.5, 1, 2]) {
  test(`tokens come as often as temperature ${temperature} makes them likely`, (t) => {
    const expected = softmax(LOGITS, temperature);
    for (const [id, share] of shares({ temperature }).entries()) {
      t.true(
        Math.abs(share - (expected[id] ?? 0)) < 0.03,
        `token ${id}: ${share}, not ${expected[id]}`,
      );
    }
  });
}

const kept = (overrides: Partial<Sampling>): number[] =>
  shares(overrides).flatMap((share, id) => (share > 0 ? [id] : []));

test('top_k keeps the k likeliest', (t) => {
  t.deepEqual(kept({ topK: 2, temperature: 3 }), [1, 3]);
  t.deepEqual(kept({ topK: 100, temperature: 5 }), [0, 1, 2, 3, 4, 5]);
});

test('min_p keeps what is at least so likely as a share of the likeliest', (t) => {
  t.deepEqual(kept({ minP: Math.exp(-1) - 0.01 }), [1, 2, 3]);
});

test('top_p keeps the fewest tokens that make up the share', (t) => {
  const [, one = 0, , three = 0] = softmax(LOGITS);
  t.deepEqual(kept({ topP: one - 0.01 }), [1]);
  t.deepEqual(kept({ topP: one + 0.01 }), [1, 3]);
  t.deepEqual(kept({ topP: one + three + 0.01 }), [1, 2, 3]);
});

function greedy(overrides: Partial<Sampling>, tokens: Parameters<typeof sampler>[1]): number {
  return sampler(overrides, tokens).next(Float32Array.from(LOGITS)).id;
}

test('penalties look at what was said, the repetition penalty at the prompt too', (t) => {
  t.is(greedy({ presencePenalty: 1 }, { generated: [1] }), 3);
  t.is(greedy({ presencePenalty: 1 }, { prompt: [1] }), 1);
  t.is(greedy({ frequencyPenalty: 0.3 }, { generated: [1] }), 1);
  t.is(greedy({ frequencyPenalty: 0.3 }, { generated: [1, 1] }), 3);
  t.is(greedy({ repetitionPenalty: 1.5 }, { prompt: [1] }), 3);
});

test('a token that was just chosen is penalized next', (t) => {
  const repeating = sampler({ presencePenalty: 1 });
  t.deepEqual(
    [0, 1, 2].map(() => repeating.next(Float32Array.from(LOGITS)).id),
    [1, 3, 1],
  );
});

test('log probabilities are those of the logits as they came', (t) => {
  const expected = softmax(LOGITS).map(Math.log);
  const { id, logprob, top } = sampler(
    { topLogprobs: 3, presencePenalty: 5 },
    { generated: [1] },
  ).next(Float32Array.from(LOGITS));
  t.is(id, 3);
  t.true(Math.abs((logprob ?? 0) - (expected[3] ?? 0)) < 1e-6);
  t.deepEqual(
    top?.map(([token]) => token),
    [1, 3, 2],
  );
});

test('randomness is of seed, choice and position alone, and spread evenly', (t) => {
  const numbers = Array.from({ length: 2000 }, (_, position) => uniformAt(7, 1, position));
  t.true(numbers.every((number) => number >= 0 && number < 1));
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  t.true(Math.abs(mean - 0.5) < 0.02);
  t.is(new Set(numbers).size, 2000);
  t.not(uniformAt(7, 1, 3), uniformAt(7, 0, 3));
  t.not(uniformAt(7, 1, 3), uniformAt(8, 1, 3));
});

test('a sequence that was begun elsewhere draws what it would have drawn', (t) => {
  const options = { temperature: 2, seed: 4, frequencyPenalty: 0.2 };
  const whole = sampler(options);
  const ids = Array.from({ length: 10 }, () => whole.next(Float32Array.from(LOGITS)).id);
  const resumed = sampler(options, { generated: ids.slice(0, 4) });
  t.deepEqual(
    Array.from({ length: 6 }, () => resumed.next(Float32Array.from(LOGITS)).id),
    ids.slice(4),
  );
});

const freshLogits = (): Float32Array => Float32Array.from(LOGITS);

test('a logit bias makes tokens likely and unlikely, and ids past the vocabulary are none', (t) => {
  t.is(sampler({ logitBias: [[4, 100]] }).next(freshLogits()).id, 4);
  t.is(sampler({ logitBias: [[1, -100]] }).next(freshLogits()).id, 3);
  t.is(sampler({ logitBias: [[99, 100]] }).next(freshLogits()).id, 1);
});

test('before min_tokens nothing ends the answer, also when another worker resumes it', (t) => {
  const endIds = [1, 3];
  const begun = sampler({ minTokens: 2 }, { endIds });
  t.deepEqual(
    [begun.next(freshLogits()).id, begun.next(freshLogits()).id, begun.next(freshLogits()).id],
    [2, 2, 1],
  );
  t.is(sampler({ minTokens: 2 }, { endIds, generated: [2] }).next(freshLogits()).id, 2);
  t.is(sampler({ minTokens: 2 }, { endIds, generated: [2, 2] }).next(freshLogits()).id, 1);
});

test('of logits that are no numbers no token is chosen, now or later', (t) => {
  const begun = sampler({ temperature: 0 });
  t.throws(() => begun.next(freshLogits().fill(Number.NaN)), { code: 'not_finite' });
  t.throws(() => begun.next(freshLogits()), { code: 'not_finite' });
  t.is(begun.last, 0);
});
