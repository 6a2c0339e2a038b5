import { resolve } from 'node:path';

const PROJECT = resolve(import.meta.dirname, '../../..');

/**
 * An absolute path. Relative paths are resolved from the project's folder and not from the current
 * one, which is the workspace's under `npm run -w`, so that a setting means the same to every
 * process.
 */
export function projectPath(path: string): string {
  return resolve(PROJECT, path);
}
