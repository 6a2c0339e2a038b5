import { rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  ModelFolderError,
  PromptBuilder,
  readModelFolder,
  requireOnnxFile,
  Tokenizer,
} from '@epd/model';
import { change, copyOfTinyVlm, splittingModel, TINY_VLM } from '../helpers/folders.ts';

test('the default model is read, its graphs found by role', async (t) => {
  const folder = await readModelFolder(TINY_VLM);
  t.is(folder.id, 'tiny-vlm');
  t.is(folder.config.model_type, 'smolvlm');
  t.is(
    requireOnnxFile(folder.onnx, 'vision_encoder').path,
    join(TINY_VLM, 'onnx/vision_encoder.onnx'),
  );
  t.deepEqual(requireOnnxFile(folder.onnx, 'embed_tokens').dataPaths, []);
});

test('a variant is taken for the role that asks for it', async (t) => {
  const variants = { decoder_model_merged: 'eager' };
  const { onnx } = await readModelFolder(TINY_VLM, { variants });
  t.true(requireOnnxFile(onnx, 'decoder_model_merged').path.endsWith('_eager.onnx'));
  t.true(requireOnnxFile(onnx, 'vision_encoder').path.endsWith('vision_encoder.onnx'));
});

test('an absent variant is an error only for the one who needs it, and is named', async (t) => {
  const { onnx } = await readModelFolder(TINY_VLM, { variants: { vision_encoder: 'q4' } });
  const error = t.throws(() => requireOnnxFile(onnx, 'vision_encoder'), {
    instanceOf: ModelFolderError,
  });
  t.is(error?.code, 'missing_file');
  t.regex(error?.message ?? '', /onnx\/vision_encoder_q4\.onnx/);
});

test('an id may be given', async (t) => {
  t.is((await readModelFolder(TINY_VLM, { id: 'mine' })).id, 'mine');
});

const isRefused = async (
  t: ExecutionContext,
  folder: string,
  code: string,
  message: RegExp,
): Promise<void> => {
  await t.throwsAsync(readModelFolder(folder), { instanceOf: ModelFolderError, code, message });
};

test('a folder that is not there is refused', (t) =>
  isRefused(t, '/no/such/model', 'folder_not_found', /no\/such\/model/));

test('another family is refused with those that are understood', async (t) => {
  const folder = await copyOfTinyVlm(t);
  await change(folder, 'config.json', () => ({ model_type: 'qwen3_5' }));
  await isRefused(
    t,
    folder,
    'unsupported_model',
    /smolvlm, idefics3, llava, .*qwen3_vl.*, found "qwen3_5"/,
  );
});

test('the layout of onnxruntime-genai is refused with the one that would work', async (t) => {
  const folder = await copyOfTinyVlm(t);
  await rm(join(folder, 'onnx'));
  await writeFile(join(folder, 'genai_config.json'), '{}');
  await isRefused(t, folder, 'unsupported_model', /onnx\/decoder_model_merged\.onnx .*genai/);
});

test('a file that is not JSON is named', async (t) => {
  const folder = await copyOfTinyVlm(t);
  await writeFile(join(folder, 'tokenizer.json'), '{"added_tokens": [');
  await isRefused(t, folder, 'invalid_json', /tokenizer\.json: expected JSON/);
});

test('a configuration with a wrong value is refused with the place and the value', async (t) => {
  const folder = await copyOfTinyVlm(t);
  await change(folder, 'config.json', (config) => ({ ...config, scale_factor: 'four' }));
  await isRefused(
    t,
    folder,
    'invalid_config',
    /config\.json: expected \/scale_factor .* found "four"/,
  );
});

test('a required file that is absent is named', async (t) => {
  const folder = await copyOfTinyVlm(t);
  await rm(join(folder, 'preprocessor_config.json'));
  await isRefused(t, folder, 'missing_file', /preprocessor_config\.json/);
});

test('a tokenizer that disagrees about the image token is refused', async (t) => {
  const folder = await copyOfTinyVlm(t);
  await change(folder, 'config.json', (config) => ({ ...config, image_token_id: 5 }));
  const read = await readModelFolder(folder);
  t.throws(() => new Tokenizer(read), { code: 'invalid_config', message: /<image> to have id 5/ });
});

test('a processor that disagrees about the rows of a tile is refused', async (t) => {
  const folder = await splittingModel(t);
  await change(folder, 'processor_config.json', () => ({ image_seq_len: 65 }));
  const read = await readModelFolder(folder);
  t.throws(() => new PromptBuilder(read), {
    code: 'invalid_config',
    message: /image_seq_len to be 64/,
  });
});

test('a template file goes before the tokenizer’s template', async (t) => {
  const folder = await copyOfTinyVlm(t);
  await writeFile(join(folder, 'chat_template.jinja'), '{{ messages[0].content }}!');
  const builder = new PromptBuilder(await readModelFolder(folder));
  const { tokens } = builder.build({ messages: [{ role: 'user', content: 'hi' }] }, []);
  t.is(builder.tokenizer.decode(tokens), 'hi!');
});

test('a folder without files of its own beside the required ones is read', async (t) => {
  const folder = await copyOfTinyVlm(t);
  for (const name of [
    'processor_config.json',
    'generation_config.json',
    'chat_template.json',
    'onnx',
  ]) {
    await rm(join(folder, name));
  }
  const read = await readModelFolder(folder);
  t.is(read.id, basename(folder));
  t.deepEqual(read.onnx.present, {});
  t.like(new PromptBuilder(read).geometry, { rowsPerTile: 16 });
});
