import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, freePort } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { FaultProxy } from '../../chaos/world/fault-proxy.ts';

/** A server that sends back what it gets, behind a proxy; and a client of it that collects. */
async function echo(t: ExecutionContext) {
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      heard.push(data.toString());
      socket.write(data);
    });
  });
  const port = await freePort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const proxy = new FaultProxy(await freePort(), port);
  await proxy.listen();
  t.teardown(async () => {
    await proxy.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { proxy, heard };
}

async function client(t: ExecutionContext, { port }: FaultProxy) {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.on('error', () => undefined);
  socket.on('data', (data) => (received += data.toString()));
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return { socket, received: () => received };
}

test('what is delayed arrives whole and in order, also when the delay ends', async (t) => {
  const { proxy } = await echo(t);
  const { socket, received } = await client(t, proxy);
  await proxy.setMode('slow', 20);
  socket.write('a');
  await sleep(5);
  socket.write('b');
  await proxy.setMode('pass');
  socket.write('c');
  await eventually(() => received() === 'abc');
  t.pass();
});

test('while it is deaf requests arrive and replies do not; then the connection is cut', async (t) => {
  const { proxy, heard } = await echo(t);
  const { socket, received } = await client(t, proxy);
  await proxy.setMode('deaf');
  socket.write('a');
  await eventually(() => heard.includes('a'));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await proxy.setMode('pass');
  await closed;
  t.is(received(), '');
});

test('while it refuses nobody listens; after that it serves again', async (t) => {
  const { proxy } = await echo(t);
  await proxy.setMode('refuse');
  const [error] = (await once(connect(proxy.port, '127.0.0.1'), 'error')) as [
    NodeJS.ErrnoException,
  ];
  t.is(error.code, 'ECONNREFUSED');
  await proxy.setMode('pass');
  const { socket, received } = await client(t, proxy);
  socket.write('a');
  await eventually(() => received() === 'a');
});
