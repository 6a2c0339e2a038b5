import { cp, rm, writeFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { readModelFolder, revision } from '@epd/model';
import { change, copyOfTinyVlm, TINY_VLM } from '../helpers/folders.ts';

const of = async (path: string, variants = {}, fingerprint = 'f'): Promise<string> =>
  revision(await readModelFolder(path, { variants }), fingerprint);

const original = await of(TINY_VLM);

test('a copy of a folder, its files written anew, is of the same revision', async (t) => {
  const folder = await copyOfTinyVlm(t);
  await change(folder, 'tokenizer_config.json', (json) =>
    Object.fromEntries(Object.entries(json).toReversed()),
  );
  t.is(await of(folder), original);
});

for (const [name, edit] of [
  ['chat_template.json', { chat_template: '{{ messages }}' }],
  ['generation_config.json', { eos_token_id: [2, 3] }],
  ['tokenizer_config.json', { pad_token: '<global-img>' }],
  ['processor_config.json', { chat_template: 'x' }],
  ['preprocessor_config.json', { resample: 3 }],
  ['config.json', { anything: 'that is new' }],
] as const) {
  test(`a change of ${name} is another revision`, async (t) => {
    const folder = await copyOfTinyVlm(t);
    await change(folder, name, (json) => ({ ...json, ...edit }));
    t.not(await of(folder), original);
  });
}

test('a change of the tokenizer is another revision', async (t) => {
  const folder = await copyOfTinyVlm(t);
  await change(folder, 'tokenizer.json', (json) => ({ ...json, normalizer: { type: 'NFC' } }));
  t.not(await of(folder), original);
});

for (const graph of ['decoder_model_merged.onnx', 'embed_tokens.onnx']) {
  test(`a change of ${graph} is another revision`, async (t) => {
    const folder = await copyOfTinyVlm(t);
    await rm(join(folder, 'onnx'));
    await cp(join(TINY_VLM, 'onnx'), join(folder, 'onnx'), { recursive: true });
    const path = join(folder, 'onnx', graph);
    const bytes = await readFile(path);
    bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1;
    await writeFile(path, bytes);
    t.not(await of(folder), original);
  });
}

test('another variant of the decoder, or another vision encoder, is another revision', async (t) => {
  t.not(await of(TINY_VLM, { decoder_model_merged: 'eager' }), original);
  t.not(await of(TINY_VLM, {}, 'g'), original);
});
