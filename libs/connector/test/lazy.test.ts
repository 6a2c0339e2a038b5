import test from 'ava';
import { Lazy } from '../src/lazy.ts';

/** Fails at the attempts that are named; a value is the number of its attempt. */
function failingAt(...failures: number[]): { lazy: Lazy<number>; attempts: () => number } {
  let attempts = 0;
  const lazy = new Lazy(async () => {
    attempts += 1;
    if (failures.includes(attempts)) throw new Error(`attempt ${attempts}`);
    return attempts;
  });
  return { lazy, attempts: () => attempts };
}

test('a value is made once, however many ask at the same time', async (t) => {
  const { lazy, attempts } = failingAt();
  t.is(await lazy.made(), null);
  t.is(attempts(), 0);
  t.deepEqual(await Promise.all([lazy.get(), lazy.get()]), [1, 1]);
  t.is(await lazy.get(), 1);
  t.is(await lazy.made(), 1);
});

test('a failure is passed to all who asked, and the next one tries again', async (t) => {
  const { lazy } = failingAt(1);
  const both = await Promise.allSettled([lazy.get(), lazy.get()]);
  t.deepEqual(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  t.is(await lazy.made(), null);
  t.is(await lazy.get(), 2);
});

test('what fails while it is asked for its end counts as not made', async (t) => {
  const { lazy } = failingAt(1);
  const failing = t.throwsAsync(lazy.get(), { message: 'attempt 1' });
  t.is(await lazy.made(), null);
  await failing;
});
