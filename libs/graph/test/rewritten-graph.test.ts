import { lstat, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { tempFolder } from '@epd/service/testing';
import onnxProto from 'onnx-proto';
import test, { type ExecutionContext } from 'ava';
import { NotRewritableError } from '../src/errors.ts';
import { encodeModel, externalFiles, readModel } from '../src/onnx.ts';
import { rewrittenGraph, type RewritingPass } from '../src/rewritten-graph.ts';

const WEIGHTS = Buffer.from('the weights');

/** A graph of one tensor, whose bytes are in a file beside it. */
function graphWithExternalData(data: string): Uint8Array {
  const { ModelProto } = onnxProto.onnx;
  const externalData = [{ key: 'location', value: data }];
  const weights = { name: 'w', dataType: 1, dims: [2], dataLocation: 1, externalData };
  return encodeModel(
    ModelProto.create({ irVersion: 8, graph: { name: 'g', initializer: [weights] } }),
  );
}

/** A model folder as the Hub's cache lays it: names that lead, relative to themselves, into `blobs`. */
async function hubFolder(t: ExecutionContext): Promise<string> {
  const root = await tempFolder(t);
  const onnx = join(root, 'snapshots/abc/onnx');
  await mkdir(onnx, { recursive: true });
  await mkdir(join(root, 'blobs'));
  await writeFile(join(root, 'blobs/1'), graphWithExternalData('model.onnx_data'));
  await writeFile(join(root, 'blobs/2'), WEIGHTS);
  await symlink('../../../blobs/1', join(onnx, 'model.onnx'));
  await symlink('../../../blobs/2', join(onnx, 'model.onnx_data'));
  return join(onnx, 'model.onnx');
}

const pass = (changes: Partial<RewritingPass> = {}): RewritingPass => ({
  folder: 'passes',
  file: 'rewritten.onnx',
  version: 1,
  rewrite: (model) => (model.producerName = 'rewritten'),
  prove: async (_original, rewritten) => {
    const [name] = externalFiles(await readModel(rewritten));
    return (await readFile(join(dirname(rewritten), name ?? ''))).toString();
  },
  ...changes,
});

test('a graph of symbolic links is rewritten with its weights beside it, and kept', async (t) => {
  const source = await hubFolder(t);
  const cache = await tempFolder(t);
  const made = await rewrittenGraph(source, cache, pass());
  t.deepEqual(made, { path: made.path, rewritten: true, note: WEIGHTS.toString() });
  const weights = join(dirname(made.path), 'model.onnx_data');
  t.true((await lstat(weights)).isFile(), 'a name for a link would lead nowhere');
  t.is((await rewrittenGraph(source, cache, pass())).note, 'rewritten earlier');
});

const refuse = (): never => {
  throw new NotRewritableError('nothing to do');
};

test('a graph that a pass does not know is run as it is, and said to be', async (t) => {
  const source = await hubFolder(t);
  t.deepEqual(await rewrittenGraph(source, await tempFolder(t), pass({ rewrite: refuse })), {
    path: source,
    rewritten: false,
    note: 'run as exported: nothing to do',
  });
});
