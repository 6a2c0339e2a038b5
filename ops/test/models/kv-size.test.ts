import type { ModelFolder } from '@epd/model';
import test from 'ava';
import { keysAndValuesPerToken } from '../../models/kv-size.ts';

const text = {
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  hidden_size: 64,
};

const folder = (config: object, variant: string): ModelFolder =>
  ({ config, onnx: { variants: { decoder_model_merged: variant } } }) as unknown as ModelFolder;

test('a token takes the keys and values of every layer, in 16 bits where the variant says so', (t) => {
  const bytes = ['', 'q4', 'fp16', 'q4f16'].map((variant) =>
    keysAndValuesPerToken(folder({ text_config: text }, variant)),
  );
  t.deepEqual(bytes, [1024, 1024, 512, 512]);
  t.is(keysAndValuesPerToken(folder(text, '')), 1024);
  t.is(keysAndValuesPerToken(folder({}, '')), null);
});
