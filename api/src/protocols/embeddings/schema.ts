import { Type } from 'typebox';

/** OpenAI's bound on inputs is 2,048 texts; each of these is an encode. */
const MAX_INPUTS = 64;

const Input = Type.Union([
  Type.String(),
  Type.Object({
    text: Type.Optional(Type.String()),
    image: Type.Optional(
      Type.Union([Type.String({ minLength: 1 }), Type.Object({ url: Type.String() })]),
    ),
    file_id: Type.Optional(Type.String()),
  }),
]);

export const EmbeddingsBody = Type.Object({
  model: Type.Optional(Type.String()),
  input: Type.Union([Input, Type.Array(Input, { minItems: 1, maxItems: MAX_INPUTS })], {
    description:
      'Images: `{"image": "data:… or https://…"}`, or `{"file_id": "…"}`; one or a list.',
  }),
  encoding_format: Type.Optional(
    Type.Union([Type.Literal('float'), Type.Literal('base64')], { description: 'Default float.' }),
  ),
  dimensions: Type.Optional(
    Type.Integer({ minimum: 1, description: 'The first so many values, normalised again.' }),
  ),
  user: Type.Optional(Type.String()),
});

export const EmbeddingsView = Type.Object(
  {
    object: Type.Literal('list'),
    model: Type.String(),
    data: Type.Array(
      Type.Object({
        object: Type.Literal('embedding'),
        index: Type.Integer(),
        embedding: Type.Union([Type.Array(Type.Number()), Type.String()]),
      }),
    ),
    usage: Type.Object({ prompt_tokens: Type.Integer(), total_tokens: Type.Integer() }),
  },
  { title: 'Embeddings' },
);
