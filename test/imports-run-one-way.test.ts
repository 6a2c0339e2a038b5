import { globSync } from 'node:fs';
import { projectPath } from '@epd/service';
import test from 'ava';
import { circlesOf, folderGraph } from './helpers/folder-graph.ts';

const SOURCES = globSync(['{api,bench}/src', 'ops', '{libs,workers}/*/src'], {
  cwd: projectPath('.'),
});

const layer = (folder: string): number =>
  ['http', 'core', 'protocols'].indexOf(folder.split('/')[0] ?? '');

for (const source of SOURCES) {
  test(`no folders of ${source} import each other`, async (t) => {
    t.deepEqual(circlesOf(await folderGraph(projectPath(source))), []);
  });
}

test('in the API protocols import the core, and the core HTTP', async (t) => {
  const graph = await folderGraph(projectPath('api/src'));
  const upwards = [...graph].flatMap(([from, targets]) =>
    [...targets].flatMap(([to, why]) => (layer(from) >= 0 && layer(to) > layer(from) ? [why] : [])),
  );
  t.deepEqual(upwards, []);
  t.true(graph.has('core/accept'));
});

test('a circle of folders is found, and the imports that close it are named', (t) => {
  const graph = new Map([
    ['a', new Map([['b', 'a/one.ts imports b/two.ts']])],
    ['b', new Map([['a', 'b/two.ts imports a/three.ts']])],
    ['c', new Map([['a', 'c/four.ts imports a/one.ts']])],
  ]);
  t.deepEqual(circlesOf(graph), [['a/one.ts imports b/two.ts', 'b/two.ts imports a/three.ts']]);
});
