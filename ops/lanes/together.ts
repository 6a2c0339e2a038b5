import { registerHooks } from 'node:module';
import { relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Semaphore } from '@epd/connector';
import ava from 'ava';
import type { Declaration, Run } from './collected.ts';

/** What the files of this process's group have declared. */
export const DECLARED: Declaration[] = [];

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const STAND_IN = new URL('stand-in.ts', import.meta.url).href;

/**
 * Runs several test files as one: loading what they import takes longer than most of them do. ava wants
 * every test declared before the first begins, so the files meet a stand-in, and once all are loaded their
 * tests are declared together, at most `limit` of them running at a time.
 */
export async function together(files: readonly string[], limit: number): Promise<void> {
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'ava' && isGrouped(context.parentURL, files)
        ? {
            url: standInFor(context.parentURL ?? ''),
            format: 'module-typescript',
            shortCircuit: true,
          }
        : next(specifier, context),
  });
  for (const file of files) await load(file);
  const gate = new Semaphore(limit);
  for (const { kind, title, run } of DECLARED) {
    if (kind === 'serial') ava.serial(title, (t) => run(t) as Promise<void>);
    else if (kind === 'before') ava.before(title, (t) => run(t) as Promise<void>);
    else if (kind === 'after') ava.after.always(title, (t) => run(t) as Promise<void>);
    else ava(title, (t) => gate.run(async () => void (await run(t))));
  }
}

function isGrouped(parent: string | undefined, files: readonly string[]): boolean {
  return parent !== undefined && files.includes(relative(PROJECT, fileURLToPath(parent)));
}

const standInFor = (parent: string): string =>
  `${STAND_IN}?file=${encodeURIComponent(relative(PROJECT, fileURLToPath(parent)))}`;

/** A file that cannot be loaded fails by itself and spares the others. */
async function load(file: string): Promise<void> {
  try {
    await import(pathToFileURL(`${PROJECT}${file}`).href);
  } catch (error) {
    const run: Run = () => {
      throw error;
    };
    DECLARED.push({ kind: 'test', title: `${file} › can be loaded`, run });
  }
}
