import { execFileSync } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { tempFolder } from '@epd/service/testing';
import { fleetPrefix, writeEnvironmentFile } from '../../local/fleet-environment.ts';
import { fleetOptions } from '../../local/fleet-options.ts';

const prefix = (env: Record<string, string>): string => fleetPrefix(fleetOptions([], env));

test('a shell reads the environment file back as it was, and nobody else may', async (t) => {
  const file = join(await tempFolder(t), 'fleet.env');
  const value = `it's "odd" $HOME; \`x\``;
  await writeEnvironmentFile(file, { EPD_PREFIX: value, EPD_STORE: undefined, HOME: '/root' });
  const read = execFileSync('/bin/sh', ['-c', `. ${file}; printf %s "$EPD_PREFIX"`]).toString();
  t.is(read, value);
  t.is((await stat(file)).mode & 0o777, 0o600);
});

test('on a Redis of its own a fleet has the plain prefix, on a shared one its folder tells it apart', (t) => {
  const EPD_REDIS_URL = 'redis://somewhere:6379';
  t.is(prefix({}), 'epd');
  t.is(prefix({ EPD_REDIS_URL, EPD_PREFIX: 'mine' }), 'mine');
  t.is(prefix({ EPD_REDIS_URL, EPD_DATA_DIR: 'a' }), prefix({ EPD_REDIS_URL, EPD_DATA_DIR: 'a' }));
  t.not(prefix({ EPD_REDIS_URL, EPD_DATA_DIR: 'a' }), prefix({ EPD_REDIS_URL, EPD_DATA_DIR: 'b' }));
});
