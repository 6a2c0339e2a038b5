import { readFile } from 'node:fs/promises';
import { describeConfig, projectPath } from '@epd/service';
import test from 'ava';
// oxlint-disable-next-line no-restricted-imports -- the defaults are those of the API's own schema
import { configSchema } from '../../../api/src/config.ts';

test('the limits that the security handbook names are settings of the API, with those defaults', async (t) => {
  const handbook = await readFile(projectPath('docs/security.md'), 'utf8');
  const rows = [...handbook.matchAll(/^\| `(EPD_\w+)` +\| `([^`]+)`/gm)];
  t.true(rows.length > 15);
  const settings = new Map(describeConfig(configSchema).map((row) => [row.name, row.default]));
  for (const [, name = '', stated] of rows) t.is(settings.get(name), stated, name);
});
