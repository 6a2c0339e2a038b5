import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { eventually } from '@epd/service/testing';

const FIXTURE = join(import.meta.dirname, 'fixtures/service.ts');

interface Run {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exit: Promise<number | null>;
}

function run(t: ExecutionContext, env: Record<string, string> = {}): Run {
  const child = fork(FIXTURE, { env: { ...process.env, ...env }, silent: true });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (data: Buffer) => (output += data.toString()));
  }
  t.teardown(() => void child.kill('SIGKILL'));
  const exit = ended(child);
  return { child, output: () => output, exit };
}

/** Not `close`: Node leaves it out for a child whose channel this side has closed. */
async function ended(child: ChildProcess): Promise<number | null> {
  const streams = [child.stdout, child.stderr].map((stream) => stream && once(stream, 'end'));
  await Promise.all([once(child, 'exit'), ...streams]);
  return child.exitCode;
}

async function started(t: ExecutionContext, env: Record<string, string> = {}): Promise<Run> {
  const service = run(t, env);
  await eventually(() => service.output().includes('"started"'), { withinMs: 120_000 });
  return service;
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} stops a service, and it ends with code 0`, async (t) => {
    const { child, exit, output } = await started(t);
    child.kill(signal);
    t.is(await exit, 0);
    t.regex(output(), /stop was called/);
  });
}

test('a service whose launcher is gone stops by itself', async (t) => {
  const { child, exit, output } = await started(t);
  child.disconnect();
  t.is(await exit, 0);
  t.regex(output(), /stop was called/);
});

test('settings that cannot be used end in one message and a code of their own', async (t) => {
  const { exit, output } = run(t, { LIMIT: 'many', EPD_STOP_MS: '1' });
  t.is(await exit, 78);
  t.regex(output(), /fixture cannot start\. The configuration is invalid:/);
  t.regex(output(), /LIMIT: must be an integer; it is "many"/);
  t.regex(output(), /EPD_STOP_MS: must be an integer from 100/);
  t.notRegex(output(), / at .*config\.ts/);
});

test('a start that throws ends with its reason and code 1', async (t) => {
  const { exit, output } = run(t, { MODE: 'start-throws' });
  t.is(await exit, 1);
  t.regex(output(), /fixture cannot start\. Error: no model here/);
});

test('a start that a setting prevents is reported in one line', async (t) => {
  const { exit, output } = run(t, { MODE: 'start-refused' });
  t.is(await exit, 1);
  const lines = output()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('{'));
  t.deepEqual(lines, [
    'fixture cannot start. The configuration is invalid: MODE: must be another; it is "start-refused"',
  ]);
  t.notRegex(output(), /"stack"/);
});

test('a service that is asked to stop while it starts gives the start up', async (t) => {
  const { child, exit, output } = run(t, { MODE: 'start-slow' });
  await eventually(() => child.connected);
  child.disconnect();
  t.is(await exit, 0);
  t.notRegex(output(), /"started"/);
});

test('a part that reports failure ends the service after its stop, with code 1', async (t) => {
  const { exit, output } = run(t, { MODE: 'fails' });
  t.is(await exit, 1);
  t.regex(output(), /stop was called/);
  t.regex(output(), /the runner died/);
});

test('an error that nobody caught ends the service after its stop, with code 1', async (t) => {
  const { exit, output } = run(t, { MODE: 'throws' });
  t.is(await exit, 1);
  t.regex(output(), /nobody caught me/);
  t.regex(output(), /stop was called/);
});

test('a stop that hangs is cut off after EPD_STOP_MS', async (t) => {
  const { child, exit } = await started(t, { MODE: 'stop-hangs', EPD_STOP_MS: '200' });
  child.kill('SIGTERM');
  t.is(await exit, 1);
});
