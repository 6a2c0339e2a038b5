import { relative } from 'node:path';
import { projectPath } from '@epd/service';

/** A path as short as it can be read from the project's folder. */
export function shown(path: string): string {
  const short = relative(projectPath('.'), path);
  return short.startsWith('..') ? path : short;
}
