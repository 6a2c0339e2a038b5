import test from 'ava';
import type { Choice } from '@epd/jobs';
import { brokenPromise, type Finished } from '../../src/job/broken-promise.ts';
import { sampling } from '../helpers/engine.ts';

const asked = {
  sampling: sampling({ constraint: { type: 'choice', choices: ['yes'] }, stop: ['.'] }),
  tools: undefined,
};
const unfit = { faultOf: async () => 'it is none of the choices' };

const finished = (choice: Partial<Choice>): Finished =>
  ({
    choices: [{ text: 'no', tokenIds: [], finishReason: 'stop', ...choice }],
  }) as unknown as Finished;

test('an answer that does not follow its schema fails, also where a stop string was asked for', async (t) => {
  t.is((await brokenPromise(asked, finished({}), unfit))?.code, 'constraint_broken');
});

test('an answer that its caller cut short is not held to its schema', async (t) => {
  for (const cut of [{ stoppedBy: '.' }, { stoppedBy: 7 }, { finishReason: 'length' }] as const)
    t.is(await brokenPromise(asked, finished(cut), unfit), null);
});
