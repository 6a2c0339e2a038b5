import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT_INVALID_CONFIG } from '@epd/service';
import { eventually, freePort, tempFolder, testRedisUrl } from '@epd/service/testing';
import test from 'ava';
import { apiProcess } from './helpers/api-process.ts';

test('the process listens where it is told, is ready, and leaves cleanly when asked', async (t) => {
  const port = String(await freePort());
  const { child, output } = apiProcess(t, {
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

test('neither a connection whose request ends after the stop was asked for nor an unused one holds it up', async (t) => {
  const port = await freePort();
  const env = { EPD_PORT: String(port), EPD_DATA_DIR: await tempFolder(t), EPD_STOP_MS: '8000' };
  const { child, output } = apiProcess(t, env);
  await eventually(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok, {
    withinMs: 60_000,
  });
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  t.teardown(() => socket.destroy());
  const head = 'POST /v1/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';
  socket.write(`${head}content-length: 2\r\n\r\n{`);
  const unused = connect(port, '127.0.0.1');
  unused.on('error', () => undefined);
  t.teardown(() => unused.destroy());
  await sleep(500);
  child.kill('SIGTERM');
  await sleep(500);
  socket.write('}'); // it is answered, and the connection would be kept for another request
  const [code] = (await once(child, 'exit')) as [number | null];
  t.is(code, 0, output.join(''));
});

test('without Redis it listens, says that it is not ready, and is so once Redis comes', async (t) => {
  const [port, redisPort] = [await freePort(), await freePort()];
  apiProcess(t, {
    EPD_PORT: String(port),
    EPD_DATA_DIR: await tempFolder(t),
    EPD_REDIS_URL: `redis://127.0.0.1:${redisPort}`,
  });
  const ready = async (): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}/readyz`)).status;
  t.is(await eventually(ready, { withinMs: 60_000 }), 503);
  const refused = await fetch(`http://127.0.0.1:${port}/v1/models`);
  t.is(refused.status, 503);
  const target = new URL(testRedisUrl());
  const relay = createServer((client) => {
    const server = connect(Number(target.port), target.hostname);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.on('error', () => undefined);
      socket.on('close', () => other.destroy());
    }
    client.pipe(server).pipe(client);
  });
  relay.listen(redisPort, '127.0.0.1');
  t.teardown(() => relay.close());
  await eventually(async () => (await ready()) === 200, { withinMs: 60_000 });
});

test('a setting that is none is named together with what was expected', async (t) => {
  const { child, output } = apiProcess(t, { EPD_PORT: 'eighty' });
  const [code] = (await once(child, 'exit')) as [number | null];
  t.is(code, EXIT_INVALID_CONFIG);
  t.regex(output.join(''), /EPD_PORT/);
  t.regex(output.join(''), /eighty/);
});

test('without keys it will not listen where others can reach it, and says so', async (t) => {
  const { child, output } = apiProcess(t, { EPD_HOST: '0.0.0.0' });
  const [code] = (await once(child, 'exit')) as [number | null];
  t.is(code, EXIT_INVALID_CONFIG);
  t.regex(output.join(''), /EPD_HOST.*loopback/);
});

test("an address that is not this machine's is reported in one line", async (t) => {
  const { child, output } = apiProcess(t, { EPD_HOST: '192.0.2.1', EPD_OPEN: 'true' });
  const [code] = (await once(child, 'exit')) as [number | null];
  t.is(code, 1);
  const lines = output
    .join('')
    .split('\n')
    .filter((line) => line !== '');
  t.deepEqual(lines, [
    'api cannot start. The configuration is invalid: EPD_HOST: must be an address or name of this machine; it is "192.0.2.1"',
  ]);
});
