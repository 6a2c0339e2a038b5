import { ELEMENT, elementType, readInputs } from '@epd/graph';
import type { ModelFolder } from '@epd/model';
import { Type } from 'typebox';
import { Value } from 'typebox/value';

const Count = Type.Integer({ minimum: 1 });
const Text = Type.Object({
  num_hidden_layers: Count,
  num_attention_heads: Count,
  num_key_value_heads: Type.Optional(Count),
  head_dim: Type.Optional(Count),
  hidden_size: Count,
});

/** Graphs of these variants keep keys and values in 16 bits. */
const HALF = /fp?16/;

/** Bytes that the cache of one token takes; null where the configuration does not tell. */
export async function keysAndValuesPerToken(folder: ModelFolder): Promise<number | null> {
  const { text_config: nested } = folder.config as { text_config?: unknown };
  const text = nested ?? folder.config;
  if (!Value.Check(Text, text)) return null;
  const { num_hidden_layers: layers, num_attention_heads: heads, hidden_size: hidden } = text;
  const headDim = text.head_dim ?? hidden / heads;
  return (
    2 * layers * (text.num_key_value_heads ?? heads) * headDim * (await elementBytes(folder.onnx))
  );
}

/** What the decoder declares where its file is here, else what its variant's name tells. */
async function elementBytes({ present, variants }: ModelFolder['onnx']): Promise<number> {
  const { decoder_model_merged: decoder } = present;
  const inputs = decoder === undefined ? [] : await readInputs(decoder.path);
  const past = inputs.find(({ name }) => name?.startsWith('past_key_values.'));
  const half =
    past === undefined
      ? HALF.test(variants.decoder_model_merged ?? '')
      : elementType(past) === ELEMENT.float16;
  return half ? 2 : 4;
}
