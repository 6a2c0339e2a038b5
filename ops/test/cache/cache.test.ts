import test, { type ExecutionContext } from 'ava';
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  EmbeddingStore,
  EmbeddingUsage,
  FolderStore,
  fromFloat32,
  sha256Hex,
  type Embedding,
  type UsageEntry,
} from '@epd/connector';
import { FleetStore } from '@epd/fleet';
import { eventually, tempFolder, testRedis, testRedisUrl } from '@epd/service/testing';

const FINGERPRINT = sha256Hex(Buffer.from('a model'));

const hashOf = (name: string): string => sha256Hex(Buffer.from(name));

const embeddingOf = (name: string): Embedding => {
  const values = Float32Array.from({ length: 4 * 8 }, (_, index) => index / 2 + name.length);
  return { rows: 4, width: 8, dtype: 'F32', data: fromFloat32(values, 'F32') };
};

const CLI = fileURLToPath(new URL('../../cache/main.ts', import.meta.url));
const run = promisify(execFile);

async function setUp(t: ExecutionContext) {
  const { redis, prefix } = testRedis(t);
  const root = await tempFolder(t);
  const usage = new EmbeddingUsage({ redis, prefix });
  const embeddings = new EmbeddingStore({ store: new FolderStore({ root }), usage });
  const items = [
    { name: 'a', model: 'tiny', tenant: 'acme' },
    { name: 'b', model: 'tiny', tenant: 'other' },
    { name: 'c', model: 'large', tenant: 'acme' },
  ];
  for (const { name, ...labels } of items) {
    await usage.lease(hashOf(name), 'job', labels);
    await embeddings.save(hashOf(name), FINGERPRINT, embeddingOf(name));
    await eventually(async () =>
      (await usage.oldest(10)).some(({ mmHash }) => mmHash === hashOf(name)),
    );
    await usage.endLease(hashOf(name), 'job');
  }
  const env = {
    ...process.env,
    EPD_REDIS_URL: testRedisUrl(),
    EPD_PREFIX: prefix,
    EPD_STORE: 'folder',
    EPD_STORE_DIR: root,
  };
  const cache = async (...args: string[]) =>
    (await run(process.execPath, [CLI, ...args], { env })).stdout;
  const listed = async (...args: string[]) => {
    const entries = JSON.parse(await cache('ls', '--json', ...args)) as UsageEntry[];
    return items
      .filter(({ name }) => entries.some(({ mmHash }) => mmHash === hashOf(name)))
      .map(({ name }) => name);
  };
  return { redis, prefix, root, env, usage, embeddings, cache, listed };
}

test('a relative folder counts from the project, from wherever the command is run', async (t) => {
  const { env, listed } = await setUp(t);
  const relative = { ...env, EPD_STORE_DIR: '', EPD_DATA_DIR: '.data/no-such-fleet' };
  const elsewhere = { env: relative, cwd: await tempFolder(t) };
  t.deepEqual((await listed()).length, 3);
  const { stdout } = await run(process.execPath, [CLI, 'purge', '--all'], elsewhere);
  t.regex(stdout, /^0 embeddings deleted, 0 bytes; 0 left to live jobs, 3 were not there/);
  t.deepEqual(await readdir(elsewhere.cwd), []);
});

test('a purge on another store than the fleet uses is refused, and the books stay', async (t) => {
  const { redis, prefix, root, env, listed } = await setUp(t);
  const store = new FolderStore({ root });
  await new FleetStore({ redis, prefix, store, name: 'the folder of the fleet' }).look();
  const stray = { env: { ...env, EPD_STORE_DIR: await tempFolder(t) } };
  const error = await t.throwsAsync(run(process.execPath, [CLI, 'purge', '--all'], stray));
  t.regex(String((error as { stderr?: string }).stderr), /The fleet uses the folder of the fleet/);
  t.deepEqual(await listed(), ['a', 'b', 'c']);
});

test('embeddings are listed by key, model, tenant and age', async (t) => {
  const { cache, listed } = await setUp(t);
  t.deepEqual(await listed(), ['a', 'b', 'c']);
  t.deepEqual(await listed('--model', 'tiny'), ['a', 'b']);
  t.deepEqual(await listed('--tenant', 'acme', '--model', 'tiny'), ['a']);
  t.deepEqual(await listed('--key', hashOf('c').slice(0, 12)), ['c']);
  t.deepEqual(await listed('--unused-for', '1d'), []);
  t.deepEqual(await listed('--unused-for', '0s'), ['a', 'b', 'c']);
  const table = await cache('ls', '--model', 'large');
  t.regex(table, new RegExp(`^${hashOf('c')} +\\d+  .*  large  acme\n1 embeddings, \\d+ bytes\n$`));
});

test('a purge deletes what is selected, but nothing that a live job holds unless forced', async (t) => {
  const { cache, listed, usage, embeddings } = await setUp(t);
  await usage.lease(hashOf('a'), 'live job');
  t.regex(
    await cache('purge', '--tenant', 'acme'),
    /^1 embeddings deleted, \d+ bytes; 1 left to live jobs/,
  );
  t.deepEqual(await listed(), ['a', 'b']);
  await cache('purge', '--all', '--force');
  t.deepEqual(await listed(), []);
  t.false(await embeddings.has({ mmHash: hashOf('a') }));
  t.is(await usage.totalBytes(), 0);
});

test('a purge of everything must be said', async (t) => {
  const { cache, listed } = await setUp(t);
  const error = await t.throwsAsync(cache('purge'));
  t.regex(String((error as { stderr?: string }).stderr), /--all/);
  await t.throwsAsync(cache('purge', '--unused-for', 'long'));
  await t.throwsAsync(cache('purge', '--no-such-option'));
  t.is((await listed()).length, 3);
});

test('help is shown to those who ask for nothing known', async (t) => {
  const { cache } = await setUp(t);
  t.regex(await cache(), /epd-cache ls/);
});
