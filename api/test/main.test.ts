import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { eventually, freePort, tempFolder, testPrefix, testRedisUrl } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';

const MAIN = new URL('../src/main.ts', import.meta.url).pathname;

async function startProcess(t: ExecutionContext, env: Record<string, string>) {
  const child = spawn(process.execPath, [MAIN], {
    env: {
      ...env,
      EPD_REDIS_URL: testRedisUrl(),
      EPD_PREFIX: testPrefix(),
      EPD_LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const output: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  return { child, output };
}

test('the process listens where it is told, is ready, and leaves cleanly when asked', async (t) => {
  const port = String(await freePort());
  const { child, output } = await startProcess(t, {
    EPD_PORT: port,
    EPD_DATA_DIR: await tempFolder(t),
  });
  await eventually(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok, {
    withinMs: 60_000,
  });
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number | null];
  t.is(code, 0, output.join(''));
});

test('a setting that is none is named together with what was expected', async (t) => {
  const { child, output } = await startProcess(t, { EPD_PORT: 'eighty' });
  const [code] = (await once(child, 'exit')) as [number | null];
  t.is(code, 1);
  t.regex(output.join(''), /EPD_PORT/);
  t.regex(output.join(''), /eighty/);
});

test('without keys it will not listen where others can reach it, and says so', async (t) => {
  const { child, output } = await startProcess(t, { EPD_HOST: '0.0.0.0' });
  const [code] = (await once(child, 'exit')) as [number | null];
  t.is(code, 1);
  t.regex(output.join(''), /EPD_HOST.*loopback/);
});
