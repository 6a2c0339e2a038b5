import { Type, type Static } from 'typebox';

const Tag = Type.Object({
  begin: Type.String({ minLength: 1 }),
  schema: Type.Unknown(),
  end: Type.String(),
});

/** What an answer's text is held to, as `@epd/constraint` has it. */
export const JobConstraint = Type.Union([
  Type.Object({
    type: Type.Literal('json'),
    schema: Type.Unknown(),
    /** Members come in the order in which the schema names them. */
    ordered: Type.Boolean(),
  }),
  Type.Object({ type: Type.Literal('regex'), pattern: Type.String() }),
  Type.Object({
    type: Type.Literal('choice'),
    choices: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
  }),
  Type.Object({
    type: Type.Literal('tagged'),
    tags: Type.Array(Tag, { minItems: 1 }),
    /** Text may stand before, between and behind the tags; what begins a tag is one. */
    freeText: Type.Boolean(),
    /** With which every tag begins: it stands nowhere in free text. */
    opener: Type.Optional(Type.String({ minLength: 1 })),
    least: Type.Integer({ minimum: 0 }),
    /** Null: any number. */
    most: Type.Union([Type.Null(), Type.Integer({ minimum: 1 })]),
    /** Between two tags where there is no free text. */
    separator: Type.String(),
  }),
]);
export type JobConstraint = Static<typeof JobConstraint>;
