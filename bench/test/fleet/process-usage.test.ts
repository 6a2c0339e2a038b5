import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'ava';
import { cpuTimeMs, peakMemory, residentMemory } from '../../src/fleet/process-usage.ts';

const MIB = 2 ** 20;

test('a process counts with those that it started', async (t) => {
  const program =
    'const b = Buffer.alloc(60 * 2 ** 20, 1); console.log(b.length); setInterval(() => b, 1e6)';
  // `; true` keeps the shell from becoming the program.
  const shell = spawn('/bin/sh', ['-c', `"${process.execPath}" -e '${program}'; true`], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  t.teardown(() => void process.kill(-(shell.pid ?? 0), 'SIGKILL'));
  await once(shell.stdout, 'data');
  const [own, all] = [await residentMemory(shell.pid ?? 0), await peakMemory(shell.pid ?? 0)];
  t.true((own ?? Infinity) < 30 * MIB);
  t.true((all ?? 0) > 60 * MIB);
  t.true(((await cpuTimeMs(shell.pid ?? 0)) ?? 0) > 0);
});

test('an ended process has no usage', async (t) => {
  const gone = 2 ** 30;
  t.deepEqual(
    [await peakMemory(gone), await residentMemory(gone), await cpuTimeMs(gone)],
    [null, null, null],
  );
});
