import test from 'ava';
import { TestCounter } from '../../local/test-count.ts';

function counted(report: string, exitCode: number | null) {
  const counter = new TestCounter();
  counter.read(report);
  return counter.end(exitCode);
}

test('ticks are passes and crosses are failures', (t) => {
  const report =
    '\n  ✔ file › one\n  ✔ file › two (2s)\n  ✘ [fail]: file › three\n  ─\n\n  1 test failed\n';
  t.deepEqual(counted(report, 1), { passed: 2, failed: 1 });
});

test('colour, and lines cut into pieces, change nothing', (t) => {
  const counter = new TestCounter();
  for (const piece of [
    '  \u001B[32m✔\u001B[39m fi',
    'le › one\n  \u001B[31m✘ [fail]\u001B[39m',
    ': two',
  ]) {
    counter.read(piece);
  }
  t.deepEqual(counter.end(1), { passed: 1, failed: 1 });
});

test('files without tests, exceptions and crashes are failures', (t) => {
  const report =
    '  ✔ a\n  ✘ No tests found in test/c.test.js\n  ✘ test/e.test.js exited with a non-zero exit code: 3\n';
  t.deepEqual(counted(report, 1), { passed: 1, failed: 2 });
});

test('tests that never ended are failures', (t) => {
  const report =
    '  ✔ a\n  ✘ Timed out while running tests\n  ◌ b\n  ◌ c\n  2 tests remained pending after a timeout\n';
  t.deepEqual(counted(report, 1), { passed: 1, failed: 3 });
});

test('a bad end is a failure though the report names none', (t) => {
  t.deepEqual(counted('  ✔ a\n', 1), { passed: 1, failed: 1 });
  t.deepEqual(counted('  ✔ a\n', null), { passed: 1, failed: 1 });
});

test('a run without a test is a failure', (t) => {
  t.deepEqual(counted('', 0), { passed: 0, failed: 1 });
});
