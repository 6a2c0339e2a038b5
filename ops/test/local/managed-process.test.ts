import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { eventually, tempFolder } from '@epd/service/testing';
import { guarded } from '../../local/guard.ts';
import { ManagedProcess, type Death, type ProcessSpec } from '../../local/managed-process.ts';

async function managed(t: ExecutionContext, script: string, spec: Partial<ProcessSpec> = {}) {
  const deaths: Death[] = [];
  const logFile = join(await tempFolder(t), 'log');
  const process = new ManagedProcess(
    {
      name: 'it',
      ...guarded('/bin/sh', ['-c', script]),
      env: {},
      logFile,
      stopMs: 5_000,
      lifeline: 'stdin',
      ...spec,
    },
    (death) => deaths.push(death),
  );
  t.teardown(() => process.kill());
  process.start();
  return { process, deaths };
}

test('a process that dies young is started again, later each time', async (t) => {
  const { process, deaths } = await managed(t, 'exit 3');
  await eventually(() => deaths.length >= 3);
  await process.stop();
  t.deepEqual(
    deaths.slice(0, 3).map(({ code, failures, restartInMs }) => [code, failures, restartInMs]),
    [
      [3, 1, 250],
      [3, 2, 500],
      [3, 3, 1000],
    ],
  );
});

test('a process whose settings cannot be used is not started again', async (t) => {
  const { process, deaths } = await managed(t, 'exit 78');
  await eventually(() => process.isRefused);
  t.deepEqual(
    deaths.map(({ code, restartInMs }) => [code, restartInMs]),
    [[78, null]],
  );
});

test('a process that was stopped stays stopped', async (t) => {
  const { process, deaths } = await managed(t, 'echo up; while :; do sleep 0.05; done');
  await eventually(async () => (await process.lastLines()) === 'up');
  await process.stop();
  process.start();
  t.is(process.pid, null);
  t.deepEqual(deaths, []);
});

test('a process that does not heed SIGTERM is killed after its limit', async (t) => {
  const script = 'trap "" TERM; echo up; while :; do sleep 0.05; done';
  const { process } = await managed(t, script, { stopMs: 200 });
  await eventually(async () => (await process.lastLines()) === 'up');
  await process.stop();
  t.is(process.pid, null);
});

test('the guard gives the exit code and the words of what it guards', async (t) => {
  const { process, deaths } = await managed(t, 'echo hello; echo trouble >&2; exit 7');
  await eventually(() => deaths.length === 1);
  await process.stop();
  t.is(deaths[0]?.code, 7);
  t.regex(await process.lastLines(), /hello\ntrouble/);
});

test('a command that does not exist counts as a death, not as an exception', async (t) => {
  const { process, deaths } = await managed(t, '', { command: '/no/such/program', args: [] });
  await eventually(() => deaths.length >= 1);
  await process.stop();
  t.is(deaths[0]?.code, 127);
});
