import { setImmediate as turn } from 'node:timers/promises';
import { ModelError, PromptBuilder, readModelFolder, type PromptMessage } from '@epd/model';
import test from 'ava';
import { PromptFailedError } from '../../src/prompt/errors.ts';
import { PromptLane } from '../../src/prompt/prompt-lane.ts';
import { Prompts } from '../../src/prompt/prompts.ts';
import { MODEL_FOLDER } from '../helpers/golden.ts';

const LIMITS = { timeoutMs: 60_000, heapMib: 512, idleMs: null };
const KEPT = new AbortController().signal;

const say = (content: PromptMessage['content']) => ({
  messages: [{ role: 'user', content } as const],
  images: [{ width: 300, height: 200 }],
});
/** Some seconds of tokenizing. */
const ENDLESS = say('word '.repeat(2_000_000));
const LONG = say('word '.repeat(30_000));

const lane = new PromptLane({ modelFolder: MODEL_FOLDER }, LIMITS);
const prompts = new Prompts(MODEL_FOLDER, { timeoutMs: 60_000 });
test.after.always(() => {
  lane.close();
  prompts.close();
});

test('a prompt is the one that the builder makes, images and all', async (t) => {
  const builder = new PromptBuilder(await readModelFolder(MODEL_FOLDER));
  const { messages, images } = say([
    { type: 'text', text: 'What is <image>?' },
    { type: 'image', image: 0 },
  ]);
  t.deepEqual(await lane.build({ messages, images }, KEPT), builder.build({ messages }, images));
});

test('a lane that was warmed builds prompts as any other', async (t) => {
  const warm = new PromptLane({ modelFolder: MODEL_FOLDER }, LIMITS);
  warm.warm();
  warm.warm();
  const said = say('count to 5');
  t.deepEqual(await warm.build(said, KEPT), await lane.build(said, KEPT));
  warm.close();
});

test('what makes no prompt is refused with the code of the model', async (t) => {
  const error = await t.throwsAsync(lane.build(say([{ type: 'image', image: 3 }]), KEPT), {
    instanceOf: ModelError,
  });
  t.like(error, { code: 'unknown_image' });
  t.true((await lane.build(say('hi'), KEPT)).tokens.length > 0);
});

test('a prompt that takes too long ends its thread, and the next is built by another', async (t) => {
  const hasty = new PromptLane({ modelFolder: MODEL_FOLDER }, { ...LIMITS, timeoutMs: 300 });
  t.teardown(() => hasty.close());
  const [late, next] = await Promise.allSettled([
    hasty.build(ENDLESS, KEPT),
    hasty.build(say('hi'), KEPT),
  ]);
  t.true(late.status === 'rejected' && late.reason instanceof PromptFailedError);
  t.like(late, { reason: { code: 'prompt_timeout' } });
  t.is(next.status, 'fulfilled');
});

test('a prompt that nobody waits for any more is not built', async (t) => {
  const gone = new AbortController();
  const first = lane.build(say('first'), KEPT);
  const second = lane.build(ENDLESS, gone.signal);
  gone.abort(new Error('cancelled'));
  await t.throwsAsync(second, { message: 'cancelled' });
  await first;
});

test('short prompts do not queue behind a long one, and this thread is free all the while', async (t) => {
  const order: string[] = [];
  await prompts.build(say('start the thread'), KEPT);
  const long = prompts.build(LONG, KEPT).then(() => order.push('long'));
  for (let round = 0; round < 3; round += 1) {
    await turn();
    await prompts.build(say('hi'), KEPT);
    order.push('short');
  }
  await long;
  t.deepEqual(order, ['short', 'short', 'short', 'long']);
});

test('many messages are a long prompt, however short each is', async (t) => {
  const order: string[] = [];
  const messages = Array.from({ length: 2000 }, () => ({ role: 'user', content: '' }) as const);
  const long = prompts.build({ messages, images: [] }, KEPT).then(() => order.push('long'));
  await prompts.build(say('hi'), KEPT);
  order.push('short');
  await long;
  t.deepEqual(order.length, 2);
});

test('a folder that cannot be read says so to each prompt', async (t) => {
  const nowhere = new PromptLane({ modelFolder: '/nowhere' }, LIMITS);
  t.teardown(() => nowhere.close());
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const error = await t.throwsAsync(nowhere.build(say('hi'), KEPT));
    t.false(error instanceof PromptFailedError);
    t.regex(error?.message ?? '', /nowhere/);
  }
});
