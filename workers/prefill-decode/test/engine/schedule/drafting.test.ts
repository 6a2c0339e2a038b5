import test from 'ava';
import { Drafting } from '../../../src/engine/schedule/drafting.ts';
import { nextTokens } from '../../../src/engine/schedule/scheduled-tokens.ts';
import { Sequence } from '../../../src/engine/sequences/sequence.ts';
import { sampling } from '../../helpers/engine.ts';

const SLOT = 128;
const PHRASE = [11, 12, 13, 14, 15, 16, 17, 18, 19];

/** An answer that has copied `copied` tokens of its prompt; three of them are the match. */
function copying(copied: number, maxTokens = 100): Sequence {
  const sequence = new Sequence({
    key: 0,
    requestId: 'a',
    choice: 0,
    priority: 0,
    scope: '',
    sampling: sampling({ maxTokens }),
    prompt: [...PHRASE, 90],
    images: [],
    gridPositions: null,
    lastUses: new Map(),
    resume: [],
    endIds: [],
    leader: null,
    draftEnds: { endIds: [], imageTokenId: -1 },
  });
  sequence.slot = 0;
  for (const token of PHRASE.slice(0, copied)) sequence.push(token);
  sequence.computed = sequence.length - 1;
  return sequence;
}

test('an answer that decodes alone drafts at once, beside another only what is worth a run', (t) => {
  const drafting = new Drafting(8);
  t.deepEqual(drafting.draftsOf(copying(4), 1, SLOT), [15, 16]);
  t.deepEqual(drafting.draftsOf(copying(4), 2, SLOT), []);
  t.deepEqual(drafting.draftsOf(copying(5), 2, SLOT), [16, 17, 18, 19]);
  t.deepEqual(drafting.draftsOf(copying(5), 3, SLOT), []);
  t.deepEqual(new Drafting(0).draftsOf(copying(5), 1, SLOT), []);
});

test('drafts leave room for the token after them, in the answer and in its slot', (t) => {
  const drafting = new Drafting(8);
  t.deepEqual(drafting.draftsOf(copying(5, 9), 1, SLOT), [16, 17, 18]);
  t.deepEqual(drafting.draftsOf(copying(5, 6), 1, SLOT), []);
  t.deepEqual(drafting.draftsOf(copying(5), 1, 16), [16]);
  t.deepEqual(drafting.draftsOf(copying(5), 1, 15), []);
});

test('the next step waits for the tokens from which drafts follow, and for drafts in flight', (t) => {
  const drafting = new Drafting(8);
  const [copy, other] = [copying(4), copying(2)];
  const plain = [nextTokens(other, 1)];
  t.true(drafting.awaits(plain, [copy, other]));
  t.false(drafting.awaits(plain, [other]));
  t.false(drafting.awaits(plain, [copy, other, copying(2)]));
  t.false(new Drafting(0).awaits(plain, [copy]));
  t.true(drafting.awaits([nextTokens(copy, 1, [15])], [other]));
});
