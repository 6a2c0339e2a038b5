import { glob, readFile } from 'node:fs/promises';
import { dirname, join, normalize, relative } from 'node:path';

/** From each folder to those that its files import, and one import that shows each. */
export type FolderGraph = ReadonlyMap<string, ReadonlyMap<string, string>>;

const IMPORT = /(?:from|import\()\s*'(\.\.?\/[^']+)'/g;

/**
 * Which folders below `root` import which. An import of a file that itself imports nothing beside it does
 * not count: such a file, an error family or a constant, cannot be part of a circle.
 */
export async function folderGraph(root: string): Promise<FolderGraph> {
  const imports = await importsOf(root);
  const graph = new Map<string, Map<string, string>>();
  for (const [file, targets] of imports) {
    const from = dirname(file);
    for (const target of targets) {
      const to = dirname(target);
      if (
        file === 'index.ts' ||
        to === from ||
        to.startsWith('..') ||
        imports.get(target)?.length === 0
      )
        continue;
      const edges = graph.get(from) ?? new Map<string, string>();
      graph.set(from, edges.set(to, `${file} imports ${target}`));
    }
  }
  return graph;
}

async function importsOf(root: string): Promise<Map<string, string[]>> {
  const imports = new Map<string, string[]>();
  for await (const path of glob('**/*.ts', {
    cwd: root,
    exclude: ['**/node_modules/**', 'test/**'],
  })) {
    const source = await readFile(join(root, path), 'utf8');
    const found = [...source.matchAll(IMPORT)].map(([, to = '']) => join(root, dirname(path), to));
    imports.set(
      path,
      found.map((to) => normalize(relative(root, to))),
    );
  }
  return imports;
}

/** Circles of folders, each as the imports that close it. */
export function circlesOf(graph: FolderGraph): string[][] {
  const done = new Set<string>();
  const circles: string[][] = [];
  const visit = (folder: string, path: readonly string[], why: readonly string[]): void => {
    const at = path.indexOf(folder);
    if (at >= 0) circles.push(why.slice(at));
    if (at >= 0 || done.has(folder)) return;
    for (const [to, reason] of graph.get(folder) ?? [])
      visit(to, [...path, folder], [...why, reason]);
    done.add(folder);
  };
  for (const folder of graph.keys()) visit(folder, [], []);
  return circles;
}
