import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { tempFolder } from '@epd/service/testing';
import test from 'ava';
import { ManagedProcess } from '../../local/managed-process.ts';
import { untilReady } from '../../local/until-ready.ts';

test('what delays a process is reported while it is waited for, once for each reason', async (t) => {
  const reasons = ['no bucket', 'no bucket', 'the model is loading'];
  const server = createServer((_request, response) => {
    const reason = reasons.shift();
    response.writeHead(reason === undefined ? 200 : 503).end(JSON.stringify({ reason }));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.teardown(() => server.close());
  const logFile = join(await tempFolder(t), 'log');
  const idle = new ManagedProcess({
    name: 'encoder-1',
    command: 'true',
    args: [],
    env: {},
    logFile,
    stopMs: 1,
    lifeline: 'stdin',
  });
  const told: string[] = [];
  await untilReady(
    [{ process: idle, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }],
    {
      signal: new AbortController().signal,
      tellAfterMs: 0,
      onWaiting: (name, reason) => told.push(`${name}: ${reason}`),
    },
  );
  t.deepEqual(told, ['encoder-1: no bucket', 'encoder-1: the model is loading']);
});
