import test from 'ava';
import { array, assert, nat, property } from 'fast-check';
import { DraftLookup } from '../../../src/engine/drafts/draft-lookup.ts';

const IMAGE = 99;
const END = 98;

/** A prompt and the tokens that an answer has got, one after another. */
function lookup(prompt: readonly number[], answer: readonly number[]) {
  const tokens = [...prompt];
  const drafts = new DraftLookup(tokens, { endIds: [END], imageTokenId: IMAGE });
  const push = (...more: readonly number[]): void => {
    for (const token of more) {
      tokens.push(token);
      drafts.grown();
    }
  };
  push(...answer);
  return { drafts, tokens, push };
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, at) => from + at);

test('a copy is drafted once a token was predicted, twice as far with each', (t) => {
  const { drafts, push } = lookup(range(1, 40), [90, 5, 6, 7]);
  t.deepEqual(drafts.next(8), []);
  push(8);
  t.deepEqual(drafts.next(8), [9, 10]);
  push(9, 10);
  t.deepEqual(drafts.next(8), range(11, 17));
  t.deepEqual(drafts.next(3), [11, 12, 13]);
  t.deepEqual(drafts.next(0), []);
});

test('the newest occurrence is copied', (t) => {
  const { drafts } = lookup([1, 2, 3, 4, 5, 50, 1, 2, 3, 4, 6, 51], [1, 2, 3, 4]);
  t.deepEqual(drafts.next(2), [6, 51]);
});

test('a token that comes unpredicted ends the copy, until the next match', (t) => {
  const { drafts, push } = lookup(range(1, 40), range(5, 10));
  push(70);
  t.deepEqual(drafts.next(8), []);
  push(20, 21, 22);
  t.deepEqual(drafts.next(8), []);
  push(23);
  t.deepEqual(drafts.next(8), [24, 25]);
});

test('an answer that repeats itself is continued past its own end', (t) => {
  const { drafts } = lookup([1], [2, 3, 2, 3, 2, 3, 2, 3, 2, 3]);
  t.deepEqual(drafts.next(5), [2, 3, 2, 3, 2]);
});

test('a draft ends with a token that ends the answer, and before an image', (t) => {
  const ends = lookup([1, 2, 3, 4, END, 5, 6, 7], [1, 2, 3, 4]);
  t.deepEqual(ends.drafts.next(8), [END]);
  const image = lookup([1, 2, 3, 4, 5, IMAGE, IMAGE, 6], [1, 2, 3, 4]);
  t.deepEqual(image.drafts.next(8), [5]);
});

/** After each phrase of the prompt, the answer copies `long` tokens and then goes its own way. */
const copies = (long: number, times: number): number[] =>
  Array.from({ length: times }, (_, at) => [
    ...range(10 * at, 10 * at + 3 + long),
    1000 + at,
  ]).flat();

test('copies that are too short to pay are not drafted, until longer ones come', (t) => {
  const { drafts, push } = lookup(range(0, 3000), copies(1, 30));
  push(...range(2000, 2004));
  t.false(drafts.copies);
  t.deepEqual(drafts.next(8), []);
  push(...range(2004, 2030));
  t.true(drafts.copies);
  t.is(drafts.next(8).length, 8);
});

test('whatever the tokens, a draft is what followed the same tokens before', (t) => {
  const token = nat(3);
  const holds = property(
    array(token, { minLength: 1, maxLength: 60 }),
    array(token, { maxLength: 60 }),
    nat(9),
    (prompt, answer, most) => {
      const { drafts, tokens } = lookup(prompt, answer);
      const draft = drafts.next(most);
      if (draft.length > most) return false;
      const last = tokens.slice(-4);
      return (
        draft.length === 0 ||
        tokens.some((_, at) => {
          if (at + last.length >= tokens.length) return false;
          const match = last.every((each, offset) => tokens[at + offset] === each);
          const all = [...tokens, ...draft];
          return match && draft.every((each, offset) => each === all[at + last.length + offset]);
        })
      );
    },
  );
  t.notThrows(() => assert(holds, { numRuns: 500 }));
});
