import { once } from 'node:events';
import { createServer } from 'node:net';
import test from 'ava';
import { freePort } from '../src/index.ts';

test('ports are none that outgoing connections may take, and each another', async (t) => {
  const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()));
  t.is(new Set(ports).size, 20);
  for (const port of ports) t.true(port >= 12_000 && port < 32_768, String(port));
});

test('a port that somebody listens on is passed over', async (t) => {
  const first = await freePort();
  const server = createServer().listen(first + 1, '127.0.0.1');
  await once(server, 'listening').catch(() => undefined); // else somebody has it already
  t.not(await freePort(), first + 1);
  server.close();
});
