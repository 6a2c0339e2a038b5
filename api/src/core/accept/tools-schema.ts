import { Type, type Static } from 'typebox';
import { Tagged } from '../../http/tagged.ts';

/** As OpenAI's. */
const MAX_TOOLS = 128;
const FunctionName = Type.String({ pattern: '^[a-zA-Z0-9_-]{1,64}$' });

const FunctionTool = Type.Object({
  type: Type.Literal('function'),
  function: Type.Object({
    name: FunctionName,
    description: Type.Optional(Type.String()),
    parameters: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    strict: Type.Optional(
      Type.Union([Type.Boolean(), Type.Null()], {
        description: 'Accepted: arguments follow their schema, strict or not.',
      }),
    ),
  }),
});

const NamedChoice = Type.Object({
  type: Type.Literal('function'),
  function: Type.Object({ name: FunctionName }),
});

/** OpenAI's fields for tools. */
export const ToolFields = {
  tools: Type.Optional(Type.Array(Tagged('type', [FunctionTool]), { maxItems: MAX_TOOLS })),
  tool_choice: Type.Optional(
    Type.Union([Type.Literal('none'), Type.Literal('auto'), Type.Literal('required'), NamedChoice]),
  ),
  parallel_tool_calls: Type.Optional(Type.Boolean()),
};

const ToolBody = Type.Object(ToolFields);
export type ToolBody = Static<typeof ToolBody>;

/** A call that an assistant made, in a message. */
export const ToolCallBody = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 200 }),
  type: Type.Literal('function'),
  function: Type.Object({ name: FunctionName, arguments: Type.String() }),
});
export type ToolCallBody = Static<typeof ToolCallBody>;
