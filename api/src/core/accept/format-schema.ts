import { Type, type Static } from 'typebox';
import { Tagged } from '../../http/tagged.ts';

const Schema = Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Boolean()]);
const MAX_CHOICES = 1_000;
const Choices = Type.Array(Type.String({ minLength: 1 }), { minItems: 1, maxItems: MAX_CHOICES });
const Pattern = Type.String({ minLength: 1, maxLength: 10_000 });
/** vLLM takes a schema as JSON text, too. */
const SchemaOrText = Type.Union([Schema, Type.String({ minLength: 1 })]);

export const ResponseFormat = Tagged('type', [
  Type.Object({ type: Type.Literal('text') }),
  Type.Object({ type: Type.Literal('json_object') }),
  Type.Object({
    type: Type.Literal('json_schema'),
    json_schema: Type.Object({
      name: Type.String({ minLength: 1, maxLength: 64 }),
      description: Type.Optional(Type.String()),
      schema: Type.Optional(Schema),
      strict: Type.Optional(
        Type.Union([Type.Boolean(), Type.Null()], {
          description:
            'Every answer follows its schema, strict or not; with true its members also come in the order of the schema.',
        }),
      ),
    }),
  }),
]);
export type ResponseFormat = Static<typeof ResponseFormat>;

const StructuredOutputs = Type.Object(
  {
    json: Type.Optional(SchemaOrText),
    regex: Type.Optional(Pattern),
    choice: Type.Optional(Choices),
    json_object: Type.Optional(Type.Boolean()),
    grammar: Type.Optional(Type.String()),
    structural_tag: Type.Optional(Type.Unknown()),
  },
  { additionalProperties: false, description: "vLLM's; one of its members." },
);

/** What an answer's text is to look like: OpenAI's field, and vLLM's. One of them. */
export const FormatFields = {
  response_format: Type.Optional(ResponseFormat),
  structured_outputs: Type.Optional(StructuredOutputs),
  guided_json: Type.Optional(SchemaOrText),
  guided_regex: Type.Optional(Pattern),
  guided_choice: Type.Optional(Choices),
};

const FormatBody = Type.Object(FormatFields);
export type FormatBody = Static<typeof FormatBody>;
