import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectPath } from '@epd/service';
import { tempFolder } from '@epd/service/testing';
import test from 'ava';
import { brokenOnnx } from '../../doctor/onnx-file.ts';

const GRAPH = projectPath('models/tiny-vlm/onnx/embed_tokens.onnx');

test('a whole graph is found whole', async (t) => {
  t.is(await brokenOnnx(GRAPH), null);
});

test('a graph that was cut short, the pointer of Git LFS and an empty file are reported', async (t) => {
  const path = join(await tempFolder(t), 'graph.onnx');
  const whole = await readFile(GRAPH);
  await writeFile(path, whole.subarray(0, whole.length - 1));
  t.regex((await brokenOnnx(path))!, /cut short/);
  await writeFile(path, 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 7\n');
  t.is(await brokenOnnx(path), 'it is no ONNX graph');
  await writeFile(path, '');
  t.is(await brokenOnnx(path), 'it holds no graph');
});
