/**
 * Takes the development dependencies out of every manifest and of the lock file, in the folder it is
 * run in; for images. npm leaves a package out by a mark that it has when nobody needs it in
 * production: one that another workspace needs lacks the mark, and comes along for development's sake.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Manifest {
  devDependencies?: object;
}

const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

const lock = read('package-lock.json') as { packages: Record<string, Manifest> };
for (const [folder, entry] of Object.entries(lock.packages)) {
  if (folder.includes('node_modules')) continue;
  delete entry.devDependencies;
  const path = join(folder, 'package.json');
  const manifest = read(path) as Manifest;
  delete manifest.devDependencies;
  writeFileSync(path, JSON.stringify(manifest));
}
writeFileSync('package-lock.json', JSON.stringify(lock));
