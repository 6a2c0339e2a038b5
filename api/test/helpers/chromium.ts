import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectPath } from '@epd/service';
import { chromium, type Browser } from 'playwright-core';

const run = promisify(execFile);

const FOLDER = projectPath('.cache/chromium');
const BINARY = join(FOLDER, 'usr/lib/chromium/chromium');
const PACKAGES = ['chromium', 'fonts-dejavu-core'];

/**
 * Debian's Chromium: the one that `EPD_CHROMIUM` names, an installed one, or one unpacked below
 * `.cache` without being installed. Throws what was tried where none can be had.
 */
export async function launchChromium(): Promise<Browser> {
  const executablePath = process.env['EPD_CHROMIUM'] ?? (await findOrUnpack());
  return chromium.launch({
    executablePath,
    // The tests' own pages only; root in a container has no user namespace for the sandbox.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
    env: {
      ...process.env,
      LD_LIBRARY_PATH: libraryFolders().join(':'),
    },
  });
}

/** Where Debian puts libraries, for either processor, in the unpacked tree. */
const libraryFolders = (): string[] =>
  ['x86_64-linux-gnu', 'aarch64-linux-gnu'].flatMap((processor) => [
    join(FOLDER, 'usr/lib', processor),
    join(FOLDER, 'usr/lib', processor, 'pulseaudio'),
  ]);

let unpacking: Promise<void> | null = null;

/** Tests of one file that begin together unpack it once. */
async function findOrUnpack(): Promise<string> {
  if (existsSync('/usr/bin/chromium')) return '/usr/bin/chromium';
  if (!existsSync(BINARY)) await (unpacking ??= unpack());
  return BINARY;
}

async function unpack(): Promise<void> {
  const draft = `${FOLDER}.${process.pid}`;
  try {
    await mkdir(draft, { recursive: true });
    // A simulated installation names what this machine lacks.
    const { stdout } = await run('apt-get', [
      'install',
      '-s',
      '--no-install-recommends',
      ...PACKAGES,
    ]);
    const names = Array.from(stdout.matchAll(/^Inst (\S+)/gm), ([, name]) => name ?? '');
    await run('apt-get', ['-q', 'download', ...names], { cwd: draft });
    for (const file of await readdir(draft)) {
      if (file.endsWith('.deb')) await run('dpkg-deb', ['-x', join(draft, file), draft]);
    }
    await rename(draft, FOLDER).catch((error: unknown) => {
      // Another test file was first; what it unpacked is the same.
      if (!existsSync(BINARY)) throw error;
    });
  } catch (error) {
    throw new Error(
      'No Chromium: set EPD_CHROMIUM to one, or install the package `chromium`; unpacking it failed',
      { cause: error },
    );
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
