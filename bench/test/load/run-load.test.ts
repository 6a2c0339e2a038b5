import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { runLoad, timePerToken, timeToFirstToken } from '../../src/load/run-load.ts';
import { textOnly } from '../../src/load/workloads.ts';
import type { Answer, Target } from '../../src/question.ts';

const ANSWER: Answer = {
  submittedMs: 100,
  tokenMs: [130, 140, 160],
  endedMs: 165,
  tokenIds: [7, 8, 9],
};

test('no more are asked at once than told, and every question is answered in its place', async (t) => {
  let [open, most] = [0, 0];
  const target: Target = {
    name: 'peer',
    async ask({ parts }) {
      most = Math.max(most, ++open);
      await sleep(1);
      open--;
      const [part] = parts;
      return { ...ANSWER, tokenIds: [part && 'text' in part ? part.text.length : 0] };
    },
  };
  const questions = textOnly(20, 90, 4);
  const { answers, stats } = await runLoad(target, questions, 3);
  t.is(most, 3);
  t.deepEqual(
    answers.map(({ tokenIds }) => tokenIds[0]),
    questions.map(({ parts: [part] }) => (part && 'text' in part ? part.text.length : 0)),
  );
  t.is(stats.latency.count, 20);
});

test('a failed answer fails the run', async (t) => {
  const target: Target = { name: 'peer', ask: () => Promise.reject(new Error('lost')) };
  await t.throwsAsync(runLoad(target, textOnly(3, 0, 4), 2), { message: 'lost' });
});

test('times are counted from the submission and from the first token', (t) => {
  t.deepEqual(timeToFirstToken(ANSWER), [30]);
  t.deepEqual(timePerToken(ANSWER), [15]);
  t.deepEqual(timePerToken({ ...ANSWER, tokenMs: [130] }), []);
});
