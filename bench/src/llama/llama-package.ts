import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { exists } from '../model/exists.ts';

const VERSION = '3.22.1';
/** The binary for this machine without a GPU; the package would fetch those for GPUs beside it. */
const BINARY = `@node-llama-cpp/${process.platform}-${process.arch}`;

/**
 * The address of the library's entry, installed below `cacheFolder` on the first call. It is no
 * dependency: it takes 85 MB, which nobody needs but who makes this comparison.
 */
export async function llamaPackage(cacheFolder: string): Promise<string> {
  const folder = join(cacheFolder, `node-llama-cpp-${VERSION}`);
  if (!(await exists(folder))) await install(folder);
  return pathToFileURL(join(folder, 'node_modules/node-llama-cpp/dist/index.js')).href;
}

async function install(folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const unfinished = await mkdtemp(`${folder}.`);
  try {
    await writeFile(join(unfinished, 'package.json'), '{"private":true}');
    const packages = [`node-llama-cpp@${VERSION}`, `${BINARY}@${VERSION}`];
    const flags = ['--save-exact', '--ignore-scripts', '--omit=optional', '--no-audit'];
    await promisify(execFile)('npm', ['install', ...flags, ...packages], { cwd: unfinished });
    await rename(unfinished, folder);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}
