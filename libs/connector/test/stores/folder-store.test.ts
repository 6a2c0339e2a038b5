import test from 'ava';
import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FolderStore, StoreUnavailableError } from '../../src/index.ts';
import { objectStoreConformance } from '../../src/testing/index.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

objectStoreConformance(test, 'folder store', async (t) => {
  return new FolderStore({ root: await temporaryFolder(t) });
});

objectStoreConformance(test, 'folder store without syncing', async (t) => {
  return new FolderStore({ root: join(await temporaryFolder(t), 'made', 'later'), durable: false });
});

test('files and folders are the owner’s alone', async (t) => {
  const root = join(await temporaryFolder(t), 'root');
  await new FolderStore({ root }).put('a/b', Buffer.from('1'));
  t.is((await stat(join(root, 'a/b'))).mode & 0o777, 0o600);
  t.is((await stat(join(root, 'a'))).mode & 0o777, 0o700);
  t.is((await stat(root)).mode & 0o777, 0o700);
});

test('lookups leave the folder as it was', async (t) => {
  const root = join(await temporaryFolder(t), 'root');
  const store = new FolderStore({ root });
  await store.get('a/b');
  await store.stat('a/b');
  await store.delete('a/b');
  await Array.fromAsync(store.list(''));
  await t.throwsAsync(stat(root), { code: 'ENOENT' });
});

test('a delete leaves no empty folder, and no temporary file is ever left', async (t) => {
  const root = await temporaryFolder(t);
  const store = new FolderStore({ root });
  await store.put('a/b/c', Buffer.from('1'));
  await store.put('a/b/c', Buffer.from('2'), { onlyIfAbsent: true });
  t.deepEqual(await readdir(join(root, 'a/b')), ['c']);
  await store.delete('a/b/c');
  t.deepEqual(await readdir(root), []);
});

test('puts and deletes of neighbours do not disturb each other', async (t) => {
  const store = new FolderStore({ root: await temporaryFolder(t) });
  const churn = async (key: string): Promise<void> => {
    for (let round = 0; round < 50; round += 1) {
      await store.put(key, Buffer.from(key));
      await store.delete(key);
    }
  };
  await t.notThrowsAsync(Promise.all(['a/x', 'a/y', 'a/z'].map((key) => churn(key))));
});

test('temporary files of others are not listed', async (t) => {
  const root = await temporaryFolder(t);
  await writeFile(join(root, 'a~0123'), 'half');
  t.deepEqual(await Array.fromAsync(new FolderStore({ root }).list('')), []);
});

test('what is no file is no object', async (t) => {
  const root = await temporaryFolder(t);
  const store = new FolderStore({ root });
  await mkdir(join(root, 'folder'));
  await promisify(execFile)('mkfifo', [join(root, 'pipe')]);
  for (const key of ['folder', 'pipe']) {
    t.is(await store.get(key), null);
    t.is(await store.stat(key), null);
  }
  await store.put('file', Buffer.from('1'));
  t.is(await store.get('file/below'), null);
});

test('a root that cannot be used makes the store unavailable', async (t) => {
  const root = await temporaryFolder(t);
  await writeFile(join(root, 'file'), '');
  await chmod(join(root, 'file'), 0o600);
  const store = new FolderStore({ root: join(root, 'file') });
  const error = await t.throwsAsync(store.put('a', Buffer.from('1')), {
    instanceOf: StoreUnavailableError,
  });
  t.true(error?.retryable);
  await t.throwsAsync(store.ping(), { instanceOf: StoreUnavailableError });
});
