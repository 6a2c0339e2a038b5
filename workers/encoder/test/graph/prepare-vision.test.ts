import { requireOnnxFile } from '@epd/model';
import { GraphIndex, encodeModel, graphOf, node, readModel, type Model } from '@epd/graph';
import { tempFolder } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fuse, prepareVision } from '../../src/graph/prepare-vision.ts';
import { tinyVlm } from '../helpers/golden.ts';
import { visionOptions } from '../helpers/vision-options.ts';

const { folder } = await tinyVlm();
const EXPORTED = requireOnnxFile(folder.onnx, 'vision_encoder').path;
const LAYERS = 6;

async function changed(t: ExecutionContext, change: (model: Model) => void): Promise<string> {
  const model = await readModel(EXPORTED);
  change(model);
  const path = join(await tempFolder(t), 'vision_encoder.onnx');
  await writeFile(path, encodeModel(model));
  return path;
}

const count = (model: Model, opType: string): number =>
  graphOf(model).node.filter((each) => each.opType === opType).length;

test('attention and activations of every layer are fused, and the embeddings are the same', async (t) => {
  const model = await readModel(EXPORTED);
  fuse(model);
  t.is(count(model, 'MultiHeadAttention'), LAYERS);
  t.is(count(model, 'FastGelu'), LAYERS);
  t.is(count(model, 'Softmax') + count(model, 'Tanh'), 0);
  const prepared = await prepareVision({
    ...(await visionOptions()),
    cacheFolder: await tempFolder(t),
  });
  t.true(prepared.rewritten);
  t.regex(prepared.note, /^fused; embeddings differ by at most [0-9.]+e-[5-9] /);
});

test('it is made once', async (t) => {
  const given = await visionOptions();
  const first = await prepareVision(given);
  const second = await prepareVision(given);
  t.is(second.note, 'rewritten earlier');
  t.is(second.path, first.path);
});

test('a sum with something other than the mask of pixels stays: a bias by position, say', async (t) => {
  const path = await changed(t, (model) => {
    const graph = graphOf(model);
    const softmax = graph.node.find(({ opType }) => opType === 'Softmax');
    const scores = new GraphIndex(graph).producer(softmax!.input![0]!)!;
    graph.initializer.push({
      name: 'positions',
      dataType: 1,
      dims: [256, 256],
      rawData: new Uint8Array(Float32Array.from({ length: 65_536 }, (_, i) => i % 3).buffer),
    });
    const biased = node('Add', [softmax!.input![0]!, 'positions'], ['biased']);
    graph.node.splice(graph.node.indexOf(scores) + 1, 0, biased);
    softmax!.input![0] = 'biased';
  });
  const model = await readModel(path);
  fuse(model);
  t.is(count(model, 'MultiHeadAttention'), LAYERS - 1);
  t.true((await prepareVision({ ...(await visionOptions()), modelPath: path })).rewritten);
});

test('a graph without anything to fuse is run as exported', async (t) => {
  const path = await changed(t, (model) => {
    for (const each of graphOf(model).node) {
      if (each.opType === 'Softmax') each.opType = 'LogSoftmax';
      if (each.opType === 'Tanh') each.opType = 'Sigmoid';
    }
  });
  const prepared = await prepareVision({ ...(await visionOptions()), modelPath: path });
  t.deepEqual(prepared, {
    path,
    rewritten: false,
    note: 'run as exported: nothing to fuse',
  });
});

test('a fused graph that computes something else is not used', async (t) => {
  const path = await changed(t, (model) => {
    const graph = graphOf(model);
    const index = new GraphIndex(graph);
    // A mask that is not open where the product's is: the pass leaves it out, and the proof sees it.
    const bias = graph.node.find(
      (each) => each.opType === 'Add' && index.reader(each.output![0]!)?.opType === 'Softmax',
    )!.input![1]!;
    const ramp = new Uint8Array(Float32Array.from({ length: 256 }, (_, i) => i / 32).buffer);
    graph.initializer.push({ name: 'ramp', dataType: 1, dims: [1, 1, 1, 256], rawData: ramp });
    const at = graph.node.indexOf(index.producer(bias)!);
    graph.node.splice(at + 1, 0, node('Add', [bias, 'ramp'], ['tilted']));
    for (const each of graph.node.slice(at + 2))
      each.input = each.input!.map((name) => (name === bias ? 'tilted' : name));
  });
  const prepared = await prepareVision({ ...(await visionOptions()), modelPath: path });
  t.false(prepared.rewritten);
  t.regex(prepared.note, /^run as exported: the fused graph's embeddings differ by /);
});
