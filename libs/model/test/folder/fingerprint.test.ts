import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { fingerprint, modelCard, readModelFolder } from '@epd/model';
import { change, copyOfTinyVlm, TINY_VLM } from '../helpers/folders.ts';

async function ownGraphs(t: ExecutionContext): Promise<string> {
  const folder = await copyOfTinyVlm(t);
  await rm(join(folder, 'onnx'));
  await cp(join(TINY_VLM, 'onnx/vision_encoder.onnx'), join(folder, 'onnx/vision_encoder.onnx'));
  return folder;
}

const fingerprintOf = async (folder: string): Promise<string | null> =>
  fingerprint(await readModelFolder(folder));

test('a copy without decoder has the fingerprint of the original', async (t) => {
  const original = await fingerprintOf(TINY_VLM);
  t.regex(original ?? '', /^[0-9a-f]{64}$/);
  t.is(await fingerprintOf(await ownGraphs(t)), original);
});

test('other weights, wherever they are kept, give another fingerprint', async (t) => {
  const folder = await ownGraphs(t);
  const original = await fingerprintOf(folder);
  await writeFile(join(folder, 'onnx/vision_encoder.onnx_data'), 'weights');
  const external = await fingerprintOf(folder);
  t.not(external, original);
  await writeFile(join(folder, 'onnx/vision_encoder.onnx_data'), 'Weights');
  t.not(await fingerprintOf(folder), external);
});

test('only configuration that shapes the embeddings counts', async (t) => {
  const folder = await copyOfTinyVlm(t);
  const original = await fingerprintOf(folder);
  await change(folder, 'config.json', (config) => ({
    architectures: ['Renamed'],
    ...config,
    eos_token_id: 9,
  }));
  t.is(await fingerprintOf(folder), original);
  await change(folder, 'config.json', (config) => ({ ...config, scale_factor: 2 }));
  t.not(await fingerprintOf(folder), original);
});

test('a folder without vision encoder has none', async (t) => {
  const folder = await copyOfTinyVlm(t);
  await rm(join(folder, 'onnx'));
  t.is(await fingerprintOf(folder), null);
});

test('a card holds what the fleet must know', async (t) => {
  const card = modelCard(await readModelFolder(TINY_VLM), 'f00d');
  t.like(card, { v: 1, id: 'tiny-vlm', fingerprint: 'f00d', contextLength: 2048, hiddenSize: 192 });
  t.like(card.geometry, { family: 'idefics3', rowsPerTile: 16 });
  t.like(card.processing, { resample: 1, do_image_splitting: false });
  t.deepEqual(JSON.parse(JSON.stringify(card)), { ...card });
});

test('stating a default in the image processor’s file changes nothing', async (t) => {
  const folder = await copyOfTinyVlm(t);
  const { processing } = modelCard(await readModelFolder(folder), 'f00d');
  await change(
    folder,
    'preprocessor_config.json',
    ({ do_resize: _resize, do_rescale: _rescale, ...config }) => config,
  );
  t.deepEqual(modelCard(await readModelFolder(folder), 'f00d').processing, processing);
});
