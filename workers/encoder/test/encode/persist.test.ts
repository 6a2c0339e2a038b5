import { StoreUnavailableError } from '@epd/connector';
import { createLogger } from '@epd/service';
import test from 'ava';
import { persist } from '../../src/encode/persist.ts';

const log = createLogger({ service: 'test', level: 'silent' });
const { signal } = new AbortController();

const replyError = (message: string): Error =>
  Object.assign(new Error(message), { name: 'ReplyError' });

for (const error of [
  new StoreUnavailableError('s3', 'away'),
  replyError('OOM command not allowed'),
  replyError('ERR Error running script: @user_script:8: -READONLY You can not write'),
  new Error('Connection is closed.'),
]) {
  test(`what passes by itself is tried again: ${error.message.slice(0, 30)}`, async (t) => {
    let attempts = 0;
    const attempt = async (): Promise<string> => {
      attempts += 1;
      if (attempts === 1) throw error;
      return 'done';
    };
    t.is(await persist('Trying', attempt, { signal, log }), 'done');
  });
}

for (const error of [
  new RangeError('a defect'),
  new Error('of nobody knows what'),
  replyError('WRONGTYPE Operation against a key holding the wrong kind of value'),
]) {
  test(`what would go wrong again is not: ${error.message.slice(0, 30)}`, async (t) => {
    const failing = persist('Trying', () => Promise.reject(error), { signal, log });
    t.is(await t.throwsAsync(failing), error);
  });
}
