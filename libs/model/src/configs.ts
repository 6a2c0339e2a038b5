import { Type, type Static } from 'typebox';

/** The parts of a Hub model's JSON files that this product reads. Other members pass through unread. */

const TokenIds = Type.Union([Type.Integer(), Type.Array(Type.Integer())]);
const OptionalTokenIds = Type.Optional(Type.Union([TokenIds, Type.Null()]));
const Edge = Type.Integer({ minimum: 1 });

/** Which folders are understood at all; read before the rest so that others get a clear answer. */
export const ModelType = Type.Object({ model_type: Type.String() });

export const ModelConfig = Type.Object({
  model_type: Type.String(),
  eos_token_id: OptionalTokenIds,
  image_token_id: Type.Integer({ minimum: 0 }),
  scale_factor: Type.Integer({ minimum: 1 }),
  text_config: Type.Object({
    hidden_size: Edge,
    max_position_embeddings: Edge,
    vocab_size: Edge,
    eos_token_id: OptionalTokenIds,
  }),
  vision_config: Type.Object({ image_size: Edge, patch_size: Edge }),
});
export type ModelConfig = Static<typeof ModelConfig>;

const PerChannel = Type.Array(Type.Number(), { minItems: 3, maxItems: 3 });

export const PreprocessorConfig = Type.Object({
  image_processor_type: Type.Optional(Type.String()),
  do_convert_rgb: Type.Optional(Type.Boolean()),
  do_resize: Type.Optional(Type.Boolean()),
  size: Type.Optional(Type.Object({ longest_edge: Edge })),
  resample: Type.Optional(Type.Integer({ minimum: 0, maximum: 5 })),
  do_image_splitting: Type.Optional(Type.Boolean()),
  max_image_size: Type.Object({ longest_edge: Edge }),
  do_rescale: Type.Optional(Type.Boolean()),
  rescale_factor: Type.Optional(Type.Number()),
  do_normalize: Type.Optional(Type.Boolean()),
  image_mean: Type.Optional(PerChannel),
  image_std: Type.Optional(PerChannel),
});
export type PreprocessorConfig = Static<typeof PreprocessorConfig>;

export const ProcessorConfig = Type.Object({
  image_seq_len: Type.Optional(Edge),
  chat_template: Type.Optional(Type.String()),
});
export type ProcessorConfig = Static<typeof ProcessorConfig>;

export const GenerationConfig = Type.Object({ eos_token_id: OptionalTokenIds });
export type GenerationConfig = Static<typeof GenerationConfig>;

export const ChatTemplateFile = Type.Object({ chat_template: Type.String() });

/** A named token is its text, or in older files an object that holds it. */
const TokenText = Type.Optional(
  Type.Union([Type.String(), Type.Null(), Type.Object({ content: Type.String() })]),
);

export const TokenizerConfig = Type.Object({
  chat_template: Type.Optional(
    Type.Union([
      Type.String(),
      Type.Array(Type.Object({ name: Type.String(), template: Type.String() })),
    ]),
  ),
  bos_token: TokenText,
  eos_token: TokenText,
  pad_token: TokenText,
  unk_token: TokenText,
});
export type TokenizerConfig = Static<typeof TokenizerConfig>;

export const TokenizerFile = Type.Object({
  added_tokens: Type.Array(
    Type.Object({
      id: Type.Integer({ minimum: 0 }),
      content: Type.String({ minLength: 1 }),
      special: Type.Boolean(),
      lstrip: Type.Optional(Type.Boolean()),
      rstrip: Type.Optional(Type.Boolean()),
    }),
  ),
  model: Type.Object({}),
});
export type TokenizerFile = Static<typeof TokenizerFile>;
