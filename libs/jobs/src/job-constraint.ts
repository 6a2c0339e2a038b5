import { Type, type Static } from 'typebox';

const Tag = Type.Object({
  begin: Type.String({ minLength: 1 }),
  schema: Type.Unknown(),
  end: Type.String(),
});

const Json = Type.Object({
  type: Type.Literal('json'),
  schema: Type.Unknown(),
  /** Members appear in the order of the schema. */
  ordered: Type.Boolean(),
});

/** The constraint of an answer's text, in the form of `@epd/constraint`. */
export const JobConstraint = Type.Union([
  Json,
  Type.Object({ type: Type.Literal('regex'), pattern: Type.String() }),
  Type.Object({
    type: Type.Literal('choice'),
    choices: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
  }),
  Type.Object({
    type: Type.Literal('tagged'),
    tags: Type.Array(Tag, { minItems: 1 }),
    /** Free text may precede, separate and follow the tags; text that begins a tag is a tag. */
    freeText: Type.Boolean(),
    /** With which every tag begins: it stands nowhere in free text. */
    opener: Type.Optional(Type.String({ minLength: 1 })),
    least: Type.Integer({ minimum: 0 }),
    /** Null: any number. */
    most: Type.Union([Type.Null(), Type.Integer({ minimum: 1 })]),
    /** Separator of two tags if there is no free text. */
    separator: Type.String(),
    /** What may be written in place of the tags. */
    instead: Type.Optional(Json),
  }),
]);
export type JobConstraint = Static<typeof JobConstraint>;
