import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { tempFolder } from '@epd/service/testing';

test('a folder is there until the test is torn down, with all that was put in it', async (t) => {
  const cleanUps: (() => Promise<void>)[] = [];
  const folder = await tempFolder({ teardown: (cleanUp) => void cleanUps.push(cleanUp) });
  await writeFile(join(folder, 'file'), 'x');
  t.true(existsSync(folder));
  for (const cleanUp of cleanUps) await cleanUp();
  t.false(existsSync(folder));
});
