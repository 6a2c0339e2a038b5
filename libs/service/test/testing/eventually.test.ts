import test from 'ava';
import { eventually } from '@epd/service/testing';

test('returns the first value that is something', async (t) => {
  const answers = [null, undefined, false, 0];
  t.is(await eventually(() => answers.shift()), 0);
});

test('a probe that throws is tried again', async (t) => {
  let calls = 0;
  const value = await eventually(() => {
    calls += 1;
    if (calls < 3) throw new Error('not yet');
    return 'done';
  });
  t.is(value, 'done');
});

test('fails past the limit, with the probe and its last error', async (t) => {
  const never = eventually(() => Promise.reject(new Error('still closed')), { withinMs: 50 });
  const error = await t.throwsAsync(never, { message: /Not within 50 ms: .*still closed/s });
  t.regex(String(error.cause), /still closed/);
});
