import { execFile, execFileSync } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { tempFolder } from '@epd/service/testing';

const BOOTSTRAP = join(import.meta.dirname, '../bootstrap.mjs');
const SCRIPT = `console.log('ran with', process.argv.slice(2).join(' ')); process.exitCode = 4;`;
const lock = (version: string): string =>
  JSON.stringify({
    packages: { '': {}, 'node_modules/a': { version }, 'node_modules/b': { optional: true } },
  });

/** A project of one script, whose lock file wants package a in version 2; `npm` stands in for npm. */
async function project(
  t: ExecutionContext,
  { installed, npm }: { installed: string | null; npm: string },
) {
  const folder = await tempFolder(t);
  await mkdir(join(folder, 'ops/commands'), { recursive: true });
  await cp(BOOTSTRAP, join(folder, 'ops/bootstrap.mjs'));
  await writeFile(join(folder, 'ops/commands/hello.ts'), SCRIPT);
  await writeFile(join(folder, 'package-lock.json'), lock('2.0.0'));
  await mkdir(join(folder, 'node_modules'));
  if (installed) await writeFile(join(folder, 'node_modules/.package-lock.json'), lock(installed));
  await writeFile(join(folder, 'npm.cjs'), npm);
  return folder;
}

function run(folder: string, ...args: string[]): Promise<{ code: number | null; output: string }> {
  const env = { ...process.env, npm_execpath: join(folder, 'npm.cjs'), npm_lifecycle_event: '' };
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [join(folder, 'ops/bootstrap.mjs'), ...args],
      { env },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, output: stdout + stderr }),
    );
  });
}

const FAILS = `console.error('npm error code EUSAGE\\nnpm error Missing: x from lock file\\nnpm error Usage:\\nnpm error npm ci'); process.exit(1);`;
const INSTALLS = `require('node:fs').copyFileSync('package-lock.json', 'node_modules/.package-lock.json');`;

test('with every package there, the script runs with its arguments, and its exit code is passed on', async (t) => {
  const { code, output } = await run(
    await project(t, { installed: '2.0.0', npm: FAILS }),
    'hello',
    '--flag',
    'x',
  );
  t.is(output, 'ran with --flag x\n');
  t.is(code, 4);
});

test('a missing node_modules is installed, and the reason said', async (t) => {
  const { output } = await run(await project(t, { installed: null, npm: INSTALLS }), 'hello');
  t.regex(
    output,
    /Installing the packages .* because there is no node_modules\..*Installed in \d+ s.*ran with/s,
  );
});

test('a package in another version than the lock file names is a reason too', async (t) => {
  const { output } = await run(await project(t, { installed: '1.0.0', npm: INSTALLS }), 'hello');
  t.regex(output, /because a is not there in version 2\.0\.0.*ran with/s);
});

test('when npm fails, its reason is shown without its usage, then the ways out', async (t) => {
  const { code, output } = await run(await project(t, { installed: null, npm: FAILS }), 'hello');
  t.is(code, 1);
  t.regex(output, /npm error Missing: x from lock file.*Ways out:.*registry/s);
  t.notRegex(output, /Usage|ran with/);
});

test('an unknown command is refused, and so is a path', async (t) => {
  const folder = await project(t, { installed: '2.0.0', npm: FAILS });
  for (const command of ['nothing', '../local/hello']) {
    const { code, output } = await run(folder, command);
    t.is(code, 1);
    t.regex(output, /start \| demo \| test/);
  }
});

test('npm runs no scripts of packages here', (t) => {
  const env = { PATH: process.env['PATH'] };
  const args = ['config', 'get', 'ignore-scripts'];
  const cwd = join(import.meta.dirname, '../..');
  t.is(execFileSync('npm', args, { cwd, env, encoding: 'utf8' }).trim(), 'true');
});
