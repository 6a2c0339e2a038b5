/**
 * The door to every npm script: makes the packages and Node 24 available, then hands over to the
 * TypeScript file that the command names. Only built-ins here, and nothing newer than Node 18.
 */
/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const BIN = join(PROJECT, 'node_modules/.bin');
/** Sources stay compiled from one start of a process to the next. */
const COMPILED = join(PROJECT, '.cache/compiled');
/** What the tests' tools ask of Node 24; it runs TypeScript as the project writes it. */
const NODE_MINOR_MIN = 12;

main(process.argv.slice(2)).catch((error) => {
  console.error(`\n${error.message}`);
  process.exitCode = 1;
});

async function main([command, ...args]) {
  const script = join(PROJECT, 'ops/commands', `${command}.ts`);
  if (!/^[a-z][a-z-]*$/.test(command ?? '') || !existsSync(script)) {
    throw new Error('Which one? node ops/bootstrap.mjs start | demo | test');
  }
  const reason = whyInstall();
  if (reason) await install(reason);
  hand(nodeBinary(), script, args);
}

/** Null when every package of the lock file is there in its version. */
function whyInstall() {
  const installed = readLock('node_modules/.package-lock.json');
  if (!installed) return 'there is no node_modules';
  const wanted = readLock('package-lock.json');
  for (const [path, { version, link, optional, devOptional }] of Object.entries(wanted ?? {})) {
    if (!path.includes('node_modules/') || link || optional || devOptional) continue;
    if (installed[path]?.version !== version) {
      return `${path.replace(/^.*node_modules\//, '')} is not there in version ${version}`;
    }
  }
  return null;
}

function readLock(path) {
  const file = join(PROJECT, path);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : null;
}

/** Quiet npm, with a sign of life: it says nothing for a minute otherwise. */
async function install(reason) {
  const beganMs = Date.now();
  const seconds = () => Math.round((Date.now() - beganMs) / 1000);
  console.log(`Installing the packages of package-lock.json, because ${reason}.`);
  console.log('About 700 MB into node_modules; a minute on a usual line.');
  const tick = setInterval(() => console.log(`  … npm ci, ${seconds()} s`), 10_000);
  const { code, output } = await npmCi().finally(() => clearInterval(tick));
  if (code !== 0) throw new Error(installFailure(output));
  console.log(`Installed in ${seconds()} s.\n`);
}

function npmCi() {
  const npm = process.env.npm_execpath;
  const [command, first] = npm ? [process.execPath, [npm]] : ['npm', []];
  const child = spawn(command, [...first, 'ci', '--no-audit', '--no-fund'], { cwd: PROJECT });
  let output = '';
  child.stdout.on('data', (data) => (output += data));
  child.stderr.on('data', (data) => (output += data));
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: 1, output: error.message }));
    child.on('close', (code) => resolve({ code, output }));
  });
}

function installFailure(output) {
  return [
    reasonOf(output),
    '',
    'npm ci failed. Ways out:',
    '  - behind a proxy or with a registry of your own: npm config set registry <url>, then again',
    '  - to see all that npm says: npm ci',
    '  - the packages need about 1 GB of disk here',
  ].join('\n');
}

/** npm's own errors, without the page of usage that it adds to some of them. */
function reasonOf(output) {
  const lines = output.trim().split('\n');
  const errors = lines.filter((line) => /^npm error \S/.test(line));
  const usage = errors.findIndex((line) => /^npm error (Usage|Clean install)/.test(line));
  return (errors.length > 0 ? errors.slice(0, usage < 0 ? 20 : usage) : lines.slice(-20)).join(
    '\n',
  );
}

/** The package's Node 24 where there is one for the platform, else the one that runs this. */
function nodeBinary() {
  for (const node of [join(BIN, 'node'), process.execPath]) {
    const { status, stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
    if (status === 0 && isRecent(stdout)) return node;
  }
  throw new Error(
    [
      `Node 24.${NODE_MINOR_MIN} or newer is needed and did not come with the packages: this is`,
      `${process.version} on ${process.platform}-${process.arch}. Ways out:`,
      '  - npm ci --include=optional, which brings it on Linux and on Macs with Intel processors',
      '  - install it yourself and run the command again: https://nodejs.org/en/download',
    ].join('\n'),
  );
}

function isRecent(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number);
  return major > 24 || (major === 24 && minor >= NODE_MINOR_MIN);
}

/**
 * The channel tells the child when this process is gone; signals are its to answer. npm, when it is
 * killed, tells nobody: this process sees it by being given another parent.
 */
function hand(node, script, args) {
  const child = spawn(node, [script, ...args], {
    cwd: PROJECT,
    env: {
      NODE_COMPILE_CACHE: COMPILED,
      ...process.env,
      PATH: `${BIN}${delimiter}${process.env.PATH}`,
    },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.env.npm_lifecycle_event && process.ppid !== parent) child.kill('SIGTERM');
  }, 1_000);
  for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
    clearInterval(watch);
    for (const signal of SIGNALS) process.removeAllListeners(signal);
  });
}
