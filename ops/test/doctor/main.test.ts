import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { projectPath } from '@epd/service';
import { freePort, tempFolder, testPrefix, testRedisUrl } from '@epd/service/testing';
import test from 'ava';
import type { Finding } from '../../doctor/finding.ts';

interface Test {
  teardown(cleanUp: () => Promise<void>): void;
}

interface Examination {
  readonly code: number | null;
  readonly output: string;
  readonly findings: readonly Finding[];
  readonly level: (check: string) => string | undefined;
}

/** The doctor as a process, on an installation of the test's own. */
async function examine(
  t: Test,
  env: Record<string, string> = {},
  options: readonly string[] = ['--json'],
): Promise<Examination> {
  const settings = {
    PATH: process.env['PATH'],
    EPD_REDIS_URL: testRedisUrl(),
    EPD_PREFIX: testPrefix(),
    EPD_STORE_DIR: join(await tempFolder(t), 'store'),
    ...env,
  };
  const main = projectPath('ops/doctor/main.ts');
  const child = spawn(process.execPath, [main, ...options], { env: settings });
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const code = await new Promise<number | null>((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode);
    else child.once('exit', resolve);
  });
  const findings = output.startsWith('[') ? (JSON.parse(output) as Finding[]) : [];
  const level = (check: string): string | undefined =>
    findings.find((finding) => finding.check === check)?.level;
  return { code, output: output + errors, findings, level };
}

test('a sound installation passes', async (t) => {
  const { code, level, findings } = await examine(t);
  t.deepEqual(
    findings.filter((finding) => finding.level === 'fail'),
    [],
  );
  t.is(code, 0);
  t.truthy(level('store put and get')); // slow on a busy machine is a warning
  const checks = ['redis version', 'redis rights', 'clock', 'store delete', 'store probe'];
  for (const check of [...checks, 'model', 'model graphs', 'decoder graph'])
    t.is(level(check), 'ok', check);
  t.is(level('execution provider cpu'), 'ok');
});

/** Most of the time goes into reading the model. */
const WITHOUT_MODEL = ['--json', '--skip-model'];

test('a Redis that is not there fails, and the rest is looked at all the same', async (t) => {
  const url = `redis://:hush@127.0.0.1:${await freePort()}`;
  const { code, level, output } = await examine(t, { EPD_REDIS_URL: url }, WITHOUT_MODEL);
  t.is(code, 1);
  t.is(level('redis'), 'fail');
  t.not(level('store put and get'), 'fail'); // slow on a busy machine is a warning
  t.false(output.includes('hush'));
});

test('settings are read from a file that is named, and printed for people', async (t) => {
  const folder = await tempFolder(t);
  const file = join(folder, 'fleet.env');
  await mkdir(join(folder, 'else'));
  await writeFile(file, `EPD_STORE_DIR='${join(folder, 'else')}'\n`);
  const { output, code } = await examine(t, {}, ['--env', file, '--skip-model']);
  t.is(code, 0);
  t.true(output.startsWith(`Settings from ${file}`));
  t.regex(output, /0 to fix, \d to look at/);
  t.true(output.includes(join(folder, 'else')));
});

test('settings that cannot be read end with 2', async (t) => {
  const { code, output } = await examine(t, { EPD_REDIS_URL: 'http://not-redis' });
  t.is(code, 2);
  t.regex(output, /EPD_REDIS_URL/);
});
