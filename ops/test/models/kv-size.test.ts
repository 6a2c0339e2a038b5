import type { ModelFolder } from '@epd/model';
import { projectPath } from '@epd/service';
import test from 'ava';
import { keysAndValuesPerToken } from '../../models/kv-size.ts';

const text = {
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  hidden_size: 64,
};

const folder = (config: object, variant: string, path?: string): ModelFolder => {
  const present = path === undefined ? {} : { decoder_model_merged: { path, dataPaths: [] } };
  return {
    config,
    onnx: { variants: { decoder_model_merged: variant }, present },
  } as unknown as ModelFolder;
};

test('a token takes the keys and values of every layer, in 16 bits where the variant says so', async (t) => {
  const variants = ['', 'q4', 'fp16', 'q4f16'];
  const bytes = await Promise.all(
    variants.map((variant) => keysAndValuesPerToken(folder({ text_config: text }, variant))),
  );
  t.deepEqual(bytes, [1024, 1024, 512, 512]);
  t.is(await keysAndValuesPerToken(folder(text, '')), 1024);
  t.is(await keysAndValuesPerToken(folder({}, '')), null);
});

test('a decoder that is there tells the size of its keys and values, whatever it is called', async (t) => {
  const file = (name: string): string =>
    projectPath(`models/miniatures/variants/llava/decoder_model_merged_${name}.onnx`);
  const sizeIn = (name: string, variant: string) =>
    keysAndValuesPerToken(folder(text, variant, file(name)));
  t.is(await sizeIn('gqa_fp16', ''), 512);
  t.is(await sizeIn('gqa', 'fp16'), 1024);
});
