import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { tempFolder } from '@epd/service/testing';
import { NoRedisError, redisBinary } from '../../local/redis-binary.ts';

async function program(folder: string, name: string, says: string): Promise<void> {
  await writeFile(join(folder, name), `#!/bin/sh\necho '${says}'\n`);
  await chmod(join(folder, name), 0o755);
}

test('a redis-server on the path is used', async (t) => {
  const folder = await tempFolder(t);
  await program(folder, 'redis-server', 'Redis server v=7.2.4 sha=00000000:0 malloc=libc bits=64');
  const found = await redisBinary(() => {}, `/nowhere:${folder}`);
  t.deepEqual(found, {
    path: join(folder, 'redis-server'),
    version: '7.2.4',
    libraries: null,
    from: 'path',
  });
});

test('Valkey does as well', async (t) => {
  const folder = await tempFolder(t);
  await program(
    folder,
    'valkey-server',
    'Valkey server v=8.0.1 sha=00000000:0 malloc=libc bits=64',
  );
  t.like(await redisBinary(() => {}, folder), { version: '8.0.1', from: 'path' });
});

test('a server that is too old is passed over', async (t) => {
  const folder = await tempFolder(t);
  await program(folder, 'redis-server', 'Redis server v=6.0.16 sha=00000000:0');
  await program(folder, 'valkey-server', 'Valkey server v=8.0.1 sha=00000000:0');
  t.like(await redisBinary(() => {}, folder), { version: '8.0.1' });
});

test('where no server can be had, the message names the ways out', (t) => {
  const { message } = new NoRedisError(new Error('apt-get: not found'));
  for (const way of [
    'apt-get: not found',
    'EPD_REDIS_URL=',
    'docker run',
    'apt-get install redis-server',
    'brew',
  ]) {
    t.true(message.includes(way), way);
  }
});
