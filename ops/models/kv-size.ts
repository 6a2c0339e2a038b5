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
export function keysAndValuesPerToken({ config, onnx }: ModelFolder): number | null {
  const { text_config: nested } = config as { text_config?: unknown };
  const text = nested ?? config;
  if (!Value.Check(Text, text)) return null;
  const { num_hidden_layers: layers, num_attention_heads: heads, hidden_size: hidden } = text;
  const headDim = text.head_dim ?? hidden / heads;
  const bytes = HALF.test(onnx.variants.decoder_model_merged ?? '') ? 2 : 4;
  return 2 * layers * (text.num_key_value_heads ?? heads) * headDim * bytes;
}
