import { readFile } from 'node:fs/promises';
import { projectPath } from '@epd/service';
import test from 'ava';

test('the database is a dependency of the index worker alone', async (t) => {
  const lock = JSON.parse(await readFile(projectPath('package-lock.json'), 'utf8')) as {
    packages: Record<string, { dependencies?: Record<string, string> }>;
  };
  const users = Object.entries(lock.packages)
    .filter(([, { dependencies }]) => dependencies?.['@lancedb/lancedb'])
    .map(([path]) => path);
  t.deepEqual(users, ['workers/index']);
});
