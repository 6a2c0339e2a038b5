import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { tempFolder } from '@epd/service/testing';
import {
  claimDataFolder,
  DataFolderInUseError,
  releaseDataFolder,
} from '../../local/fleet-file.ts';

const holder = async (folder: string): Promise<number> =>
  (JSON.parse(await readFile(join(folder, 'fleet.json'), 'utf8')) as { pid: number }).pid;

test('a data folder is made and held until it is released', async (t) => {
  const folder = join(await tempFolder(t), 'new');
  await claimDataFolder(folder);
  t.is(await holder(folder), process.pid);
  await releaseDataFolder(folder);
  await t.throwsAsync(holder(folder), { code: 'ENOENT' });
});

test('a folder whose holder lives is refused', async (t) => {
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'fleet.json'), JSON.stringify({ pid: process.ppid }));
  await t.throwsAsync(claimDataFolder(folder), { instanceOf: DataFolderInUseError });
});

test('a folder whose holder died, or whose file was cut short, is taken over', async (t) => {
  for (const left of [JSON.stringify({ pid: 2 ** 22 + 1 }), '{"pid":']) {
    const folder = await tempFolder(t);
    await writeFile(join(folder, 'fleet.json'), left);
    await claimDataFolder(folder);
    t.is(await holder(folder), process.pid);
  }
});
