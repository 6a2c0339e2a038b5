import test from 'ava';
import { newJob, testStore } from './helpers/store.ts';

test('a failing connection is reported by the commands that fail, not on the console', async (t) => {
  const { jobs, redis } = testStore(t);
  await jobs.create(newJob());
  const { error } = console;
  const written: unknown[] = [];
  console.error = (...what) => void written.push(what);
  t.teardown(() => (console.error = error));
  redis.on('error', () => undefined);
  redis.emit('error', new Error('cut'));
  t.deepEqual(written, []);
});
