import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from '@epd/service/testing';
import test from 'ava';
import ort from 'onnxruntime-node';
import { buildModel } from '../../src/model/build-model.ts';
import { smolvlmShape, tokensPerImage, type ModelShape } from '../../src/model/shape.ts';

const TOKENIZER = join(import.meta.dirname, '../../../models/tiny-vlm');

const SMALL: ModelShape = {
  name: 'small',
  vision: { layers: 2, width: 32, heads: 2, intermediate: 48, imageSize: 64, patch: 8 },
  scaleFactor: 2,
  text: {
    layers: 2,
    width: 48,
    heads: 3,
    kvHeads: 1,
    headDim: 16,
    intermediate: 64,
    vocabSize: 2100,
    maxPositions: 64,
    ropeTheta: 10_000,
    normEpsilon: 1e-5,
  },
};

const folderOf = async (t: Parameters<typeof tempFolder>[0]): Promise<string> =>
  buildModel(SMALL, { cacheFolder: await tempFolder(t), tokenizerFolder: TOKENIZER });

const session = (folder: string, name: string): Promise<ort.InferenceSession> =>
  ort.InferenceSession.create(join(folder, `onnx/${name}.onnx`), { intraOpNumThreads: 1 });

const filled = (dims: number[], value: (i: number) => number): ort.Tensor => {
  const count = dims.reduce((all, size) => all * size, 1);
  return new ort.Tensor(
    'float32',
    Float32Array.from({ length: count }, (_, i) => value(i)),
    dims,
  );
};

const mask = (images: number): ort.Tensor =>
  new ort.Tensor('bool', new Uint8Array(images * 64 * 64).fill(1), [1, images, 64, 64]);

const floats = (tensor: ort.Tensor | undefined): Float32Array =>
  tensor?.data instanceof Float32Array ? tensor.data : new Float32Array();

test('the vision encoder turns each image into its tokens, and images do not touch each other', async (t) => {
  const encoder = await session(await folderOf(t), 'vision_encoder');
  const pixels = filled([1, 2, 3, 64, 64], (i) => Math.sin(i));
  const both = await encoder.run({ pixel_values: pixels, pixel_attention_mask: mask(2) });
  t.deepEqual(both['image_features']?.dims, [2, tokensPerImage(SMALL), SMALL.text.width]);
  const first = new ort.Tensor('float32', floats(pixels).slice(0, 3 * 64 * 64), [1, 1, 3, 64, 64]);
  const alone = await encoder.run({ pixel_values: first, pixel_attention_mask: mask(1) });
  const [a, b] = [floats(alone['image_features']), floats(both['image_features'])];
  t.true(
    a?.every((value, i) => Math.abs(value - (b?.[i] ?? NaN)) < 1e-4 && Number.isFinite(value)),
  );
});

test('the decoder continues from its cache as from the whole prompt', async (t) => {
  const decoder = await session(await folderOf(t), 'decoder_model_merged');
  const step = async (
    values: (i: number) => number,
    from: number,
    to: number,
    past: ort.InferenceSession.OnnxValueMapType,
  ) =>
    decoder.run({
      inputs_embeds: filled([1, to - from, SMALL.text.width], (i) =>
        values(i + from * SMALL.text.width),
      ),
      attention_mask: new ort.Tensor('int64', new BigInt64Array(to).fill(1n), [1, to]),
      ...pastOf(past),
    });
  const whole = await step(Math.cos, 0, 5, {});
  const continued = await step(Math.cos, 4, 5, await step(Math.cos, 0, 4, {}));
  t.deepEqual(whole['logits']?.dims, [1, 5, SMALL.text.vocabSize]);
  t.deepEqual(continued['present.1.key']?.dims, [1, 1, 5, 16]);
  const last = floats(whole['logits']).slice(-SMALL.text.vocabSize);
  const again = floats(continued['logits']);
  t.true(last.every((value, i) => Math.abs(value - (again[i] ?? NaN)) < 1e-4));
});

function pastOf(run: ort.InferenceSession.OnnxValueMapType): Record<string, ort.Tensor> {
  const past: Record<string, ort.Tensor> = {};
  for (let i = 0; i < SMALL.text.layers; i++) {
    for (const side of ['key', 'value']) {
      const present = run[`present.${i}.${side}`];
      past[`past_key_values.${i}.${side}`] =
        present ?? new ort.Tensor('float32', [], [1, 1, 0, 16]);
    }
  }
  return past;
}

test('a greedy answer holds neither special tokens nor ids that the tokenizer lacks', async (t) => {
  const decoder = await session(await folderOf(t), 'decoder_model_merged');
  const { logits } = await decoder.run({
    inputs_embeds: filled([1, 1, SMALL.text.width], (i) => Math.sin(3 * i)),
    attention_mask: new ort.Tensor('int64', [1n], [1, 1]),
    ...pastOf({}),
  });
  const values = [...floats(logits)];
  const best = values.indexOf(Math.max(...values));
  t.true(best >= 7 && best < 2048, `token ${best}`);
});

test('embed_tokens looks up a row per id', async (t) => {
  const embed = await session(await folderOf(t), 'embed_tokens');
  const ids = new ort.Tensor('int64', BigInt64Array.of(5n, 2099n, 5n), [1, 3]);
  const rows = (await embed.run({ input_ids: ids }))['inputs_embeds'];
  t.deepEqual(rows?.dims, [1, 3, SMALL.text.width]);
  const data = floats(rows);
  t.deepEqual(data.slice(0, SMALL.text.width), data.slice(2 * SMALL.text.width));
});

test('a built model is found again, and built equal elsewhere', async (t) => {
  const cacheFolder = await tempFolder(t);
  const options = { cacheFolder, tokenizerFolder: TOKENIZER };
  const folder = await buildModel(SMALL, options);
  t.is(await buildModel(SMALL, options), folder);
  const other = await folderOf(t);
  const [a, b] = await Promise.all(
    [folder, other].map((place) => readFile(join(place, 'onnx/decoder_model_merged.onnx'))),
  );
  t.true(a?.equals(b ?? Buffer.of()));
});

test('scaling shortens the stacks of layers and leaves the rest', (t) => {
  const [full, half] = [smolvlmShape(), smolvlmShape(0.5)];
  t.deepEqual([full.vision.layers, full.text.layers, tokensPerImage(full)], [12, 30, 64]);
  t.deepEqual({ ...half, name: full.name, vision: full.vision, text: full.text }, full);
  t.deepEqual([half.vision.layers, half.text.layers], [6, 15]);
  t.throws(() => smolvlmShape(0), { instanceOf: RangeError });
});
