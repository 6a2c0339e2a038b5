import test from 'ava';
import { checkText } from '../../../src/core/accept/check-text.ts';
import type { SubmittedMessage } from '../../../src/core/accept/image-sources.ts';
import { ApiError } from '../../../src/http/errors.ts';
import { TEST_CARD } from '../../helpers/test-card.ts';

/** The longest text that may be 2048 tokens of the model, at 25 bytes each. */
const MOST = 2048 * 25;

const user = (content: SubmittedMessage['content']): SubmittedMessage => ({
  role: 'user',
  ...(content === undefined ? {} : { content }),
});

const accepted = (...messages: SubmittedMessage[]): void => checkText({ messages }, TEST_CARD);

test('text that may fit is let through, in whatever parts it comes', (t) => {
  t.notThrows(() => accepted(user('x'.repeat(MOST))));
  t.notThrows(() => accepted(user(`${'x'.repeat(MOST)}${' '.repeat(MOST)}`)));
  const half = { type: 'text' as const, text: 'é'.repeat(MOST / 4) };
  t.notThrows(() => accepted(user([half, half]), user(null), user([])));
});

for (const [name, messages, got] of [
  ['one byte more than can fit', [user('x'.repeat(MOST + 1))], MOST + 1],
  ['characters of several bytes', [user('日'.repeat(MOST / 2))], 1.5 * MOST],
  ['many messages together', Array.from({ length: 1000 }, () => user('x'.repeat(60))), 60_000],
] as const) {
  test(`${name}: refused with field, limit and value`, (t) => {
    const error = t.throws(() => accepted(...messages), { instanceOf: ApiError });
    t.like(error, { code: 'context_length_exceeded', param: 'messages', statusCode: 400 });
    t.regex(error?.message ?? '', new RegExp(`at most ${MOST} bytes .*2048 tokens.*got ${got}$`));
  });
}

test('more messages and parts than the context has tokens are refused, be they empty', (t) => {
  const parts = Array.from({ length: 2049 }, () => ({ type: 'text' as const, text: '' }));
  t.throws(() => accepted(user(parts)), { message: /at most 2048 messages and .* got 2049$/ });
  const messages = Array.from({ length: 2049 }, () => user(''));
  t.throws(() => accepted(...messages), { code: 'context_length_exceeded' });
});

test('of a prompt without a template blanks count: nobody takes them off', (t) => {
  const messages = [user(' '.repeat(MOST + 1))];
  t.notThrows(() => checkText({ messages }, TEST_CARD));
  t.throws(() => checkText({ messages, raw: true }, TEST_CARD), {
    code: 'context_length_exceeded',
  });
});
