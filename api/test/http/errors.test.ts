import { readFile } from 'node:fs/promises';
import test from 'ava';
import { ERROR_MEANINGS } from '../../src/http/error-meanings.ts';
import { API_ERRORS } from '../../src/http/errors.ts';

test('the README lists every error code with its status and meaning, and no other', async (t) => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const rows = Array.from(readme.matchAll(/^\| `(\w+)` +\| (\d{3}) +\| (.+?) +\|$/gm));
  t.deepEqual(
    Object.fromEntries(rows.map(([, code, status]) => [code, Number(status)])),
    API_ERRORS,
  );
  t.deepEqual(Object.fromEntries(rows.map(([, code, , text]) => [code, text])), ERROR_MEANINGS);
});
