import { readFile } from 'node:fs/promises';
import test from 'ava';
import { API_ERRORS } from '../../src/http/errors.ts';

test('the README lists every error code with its status, and no other', async (t) => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const listed = Array.from(
    readme.matchAll(/^\| `(\w+)` +\| (\d{3}) +\|/gm),
    ([, code, status]) => [code, Number(status)],
  );
  t.deepEqual(Object.fromEntries(listed), API_ERRORS);
});
