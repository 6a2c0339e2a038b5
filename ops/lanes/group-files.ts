export interface SizedFile {
  readonly path: string;
  readonly bytes: number;
}

/** So many groups of about equal size: the largest file goes to the smallest group, again and again. */
export function groupFiles(files: readonly SizedFile[], count: number): string[][] {
  const groups = Array.from({ length: count }, () => ({ bytes: 0, paths: [] as string[] }));
  for (const { path, bytes } of files.toSorted((a, b) => b.bytes - a.bytes)) {
    const smallest = groups.reduce((least, group) => (group.bytes < least.bytes ? group : least));
    smallest.bytes += bytes;
    smallest.paths.push(path);
  }
  return groups.flatMap(({ paths }) => (paths.length === 0 ? [] : [paths.toSorted()]));
}
