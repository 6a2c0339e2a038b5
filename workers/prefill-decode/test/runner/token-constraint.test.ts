import test from 'ava';
import { Sampler } from '../../src/runner/sampler.ts';
import {
  applyMask,
  ConstraintError,
  type TokenConstraint,
  type TokenMask,
} from '../../src/runner/token-constraint.ts';
import { sampling } from '../helpers/engine.ts';

/** Token ids 0 .. 39: two words of a mask. */
const logits = (): Float32Array => Float32Array.from({ length: 40 }, (_, id) => id);

function maskOf(...ids: number[]): TokenMask {
  const mask = new Uint32Array(2);
  for (const id of ids) mask[id >> 5] = (mask[id >> 5] ?? 0) | (1 << (id & 31));
  return mask;
}

/** Holds an answer to these tokens, one after the other, then to token 39. */
class Spelled implements TokenConstraint {
  readonly #ids: readonly number[];
  #at = 0;
  closed = false;

  constructor(...ids: number[]) {
    this.#ids = ids;
  }

  get done(): boolean {
    return this.#at >= this.#ids.length;
  }

  mask(): TokenMask {
    return maskOf(this.#ids[this.#at] ?? 39);
  }

  accept(id: number): void {
    if (id !== (this.#ids[this.#at] ?? 39)) throw new ConstraintError('broken', `not ${id}`);
    this.#at++;
  }

  close(): void {
    this.closed = true;
  }
}

function sampler(constraint: TokenConstraint, overrides = {}, generated: number[] = []): Sampler {
  const open = {
    sequence: 7,
    choice: 0,
    sampling: sampling(overrides),
    prompt: [],
    endIds: [],
    generated,
  };
  return new Sampler(open, () => constraint);
}

for (const temperature of [0, 2]) {
  test(`at temperature ${temperature} only tokens of the mask are chosen`, (t) => {
    const held = sampler(new Spelled(3, 33, 5), { temperature, topK: 4, minP: 0.1 });
    const ids = [1, 2, 3, 4].map(() => held.next(logits()).id);
    t.deepEqual(ids, [3, 33, 5, 39]);
  });
}

test('a continuation replays what was generated and continues identically', (t) => {
  t.is(sampler(new Spelled(3, 33, 5), {}, [3, 33]).next(logits()).id, 5);
});

test('log probabilities are of the model, without the constraint', (t) => {
  const { logprob, top } = sampler(new Spelled(3), { topLogprobs: 1 }).next(logits());
  t.is(top?.[0]?.[0], 39);
  t.true((logprob ?? 0) < -30 && (logprob ?? 0) > -Infinity);
});

test('a continuation that breaks the constraint fails when it is sampled, and stays failed', (t) => {
  const held = sampler(new Spelled(3, 4), {}, [9]);
  t.throws(() => held.next(logits()), { instanceOf: ConstraintError, message: 'not 9' });
  t.throws(() => held.next(logits()), { instanceOf: ConstraintError });
  t.is(held.last, 0);
});

test('the token that completes a constraint says that nothing may follow', (t) => {
  const held = sampler(new Spelled(3, 4));
  t.deepEqual(held.next(logits()), { sequence: 7, id: 3 });
  t.deepEqual(held.next(logits()), { sequence: 7, id: 4, done: true });
});

test('a mask that leaves no token is an error, not a token', (t) => {
  t.throws(() => applyMask(logits(), maskOf()), { code: 'constraint_stuck' });
});

test('an end token that comes too early is none that is left', (t) => {
  const early = sampler(new Spelled(3), { minTokens: 2 });
  early.next(logits());
  const only39 = logits();
  only39[39] = -Infinity;
  t.throws(() => early.next(only39), { code: 'constraint_stuck' });
});

test('closing a sampler closes its constraint', (t) => {
  const constraint = new Spelled(1);
  sampler(constraint).close();
  t.true(constraint.closed);
});
