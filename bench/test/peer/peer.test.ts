import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Peer } from '../../src/peer/peer.ts';
import type { Question } from '../../src/question.ts';

const MODEL = join(import.meta.dirname, '../../../models/tiny-vlm');

interface GoldenCase {
  readonly images: readonly string[];
  readonly question: string;
  readonly token_ids: readonly number[];
}

const cases = JSON.parse(
  readFileSync(join(MODEL, 'golden/cases.json'), 'utf8'),
) as readonly GoldenCase[];

const EOS = 3;

const questionOf = ({ images, question }: GoldenCase): Question => ({
  parts: [
    ...images.map((name) => ({ image: { path: join(MODEL, 'golden', name), dataUri: '' } })),
    { text: question },
  ],
  maxTokens: 128,
  ignoreEos: false,
});

test('the peer gives the golden answers, also when it is asked everything at once', async (t) => {
  const peer = await Peer.start({ modelDir: MODEL, threads: 1, cores: null });
  t.teardown(() => peer.stop());
  const answers = await Promise.all(cases.map((each) => peer.ask(questionOf(each))));
  answers.forEach(({ tokenIds, tokenMs }, i) => {
    t.deepEqual(
      tokenIds.filter((id) => id !== EOS),
      cases[i]?.token_ids,
      cases[i]?.question,
    );
    t.is(tokenMs.length, tokenIds.length);
  });
});

test('the peer answers as many tokens as it is told', async (t) => {
  const peer = await Peer.start({ modelDir: MODEL, threads: 1, cores: null });
  t.teardown(() => peer.stop());
  const answer = await peer.ask({
    parts: [{ text: 'What is two plus two?' }],
    maxTokens: 20,
    ignoreEos: true,
  });
  t.is(answer.tokenIds.length, 20);
});

test('a question that cannot be answered is rejected, and the next is answered', async (t) => {
  const peer = await Peer.start({ modelDir: MODEL, threads: 1, cores: null });
  t.teardown(() => peer.stop());
  const image = { path: join(MODEL, 'golden/none.png'), dataUri: '' };
  await t.throwsAsync(
    peer.ask({ parts: [{ image }, { text: 'What?' }], maxTokens: 4, ignoreEos: false }),
  );
  const answer = await peer.ask({ parts: [{ text: 'What?' }], maxTokens: 4, ignoreEos: false });
  t.true(answer.tokenIds.length > 0);
});
