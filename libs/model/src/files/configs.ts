import { Type, type Static } from 'typebox';

/** The parts of a Hub model's JSON files that this product reads. Other members pass through unread. */

const TokenIds = Type.Union([Type.Integer(), Type.Array(Type.Integer())]);
const OptionalTokenIds = Type.Optional(Type.Union([TokenIds, Type.Null()]));
/** Which folders are understood at all; read before the rest so that others get a clear answer. */
export const ModelType = Type.Object({ model_type: Type.String() });

/** What all families share. A family holds the rest to a schema of its own. */
export const ModelConfig = Type.Object({
  model_type: Type.String(),
  eos_token_id: OptionalTokenIds,
  text_config: Type.Optional(Type.Object({ eos_token_id: OptionalTokenIds })),
});
export type ModelConfig = Static<typeof ModelConfig>;

export const JsonObject = Type.Record(Type.String(), Type.Unknown());
export type JsonObject = Static<typeof JsonObject>;

/** The image processor's options may stand in the processor's file instead of one of their own. */
export const ProcessorConfig = Type.Object({
  chat_template: Type.Optional(Type.String()),
  image_processor: Type.Optional(JsonObject),
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
