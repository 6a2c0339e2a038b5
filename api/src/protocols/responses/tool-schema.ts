import { Type, type Static } from 'typebox';
import type { AskedTools } from '../../core/accept/tools.ts';
import { ToolFields } from '../../core/accept/tools-schema.ts';
import { ApiError } from '../../http/errors.ts';
import { Ignored } from '../../http/ignored.ts';
import { Tagged } from '../../http/tagged.ts';

/** As OpenAI's. */
const MAX_TOOLS = 128;
const Name = Type.String({ pattern: '^[a-zA-Z0-9_-]{1,64}$' });

/** Flat, unlike that of chat completions. */
const FunctionTool = Type.Object({
  type: Type.Literal('function'),
  name: Name,
  description: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  parameters: Type.Optional(Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()])),
  strict: Type.Optional(
    Type.Union([Type.Boolean(), Type.Null()], {
      description: 'Accepted: arguments follow their schema, strict or not.',
    }),
  ),
  defer_loading: Ignored,
  output_schema: Ignored,
});

const FunctionChoice = Type.Object({ type: Type.Literal('function'), name: Name });
const AllowedTools = Type.Object({
  type: Type.Literal('allowed_tools'),
  mode: Type.Union([Type.Literal('auto'), Type.Literal('required')]),
  tools: Type.Array(FunctionChoice, { minItems: 1, maxItems: MAX_TOOLS }),
});

/** OpenAI's fields for tools, as those of responses. */
export const ResponseToolFields = {
  tools: Type.Optional(Type.Array(Tagged('type', [FunctionTool]), { maxItems: MAX_TOOLS })),
  tool_choice: Type.Optional(
    Type.Union([
      Type.Literal('none'),
      Type.Literal('auto'),
      Type.Literal('required'),
      Tagged('type', [FunctionChoice, AllowedTools]),
    ]),
  ),
  parallel_tool_calls: ToolFields.parallel_tool_calls,
};

const ResponseToolBody = Type.Object(ResponseToolFields);
type ResponseToolBody = Static<typeof ResponseToolBody>;

/** The tools of a response's body. Throws `ApiError` for a choice among tools that are not there. */
export function responseTools(body: ResponseToolBody): AskedTools {
  const { tools = [], tool_choice: choice = 'auto', parallel_tool_calls: parallel = true } = body;
  const functions = tools.map(({ name, description, parameters }, index) => ({
    name,
    description: description ?? undefined,
    parameters,
    field: `tools[${index}]`,
  }));
  if (typeof choice === 'string') return { functions, choice, parallel };
  if (choice.type === 'function') return { functions, choice: { name: choice.name }, parallel };
  const allowed = new Set(choice.tools.map(({ name }) => name));
  for (const name of allowed) {
    if (!functions.some((one) => one.name === name)) throw notThere(name);
  }
  return {
    functions: functions.filter(({ name }) => allowed.has(name)),
    choice: choice.mode,
    parallel,
  };
}

const notThere = (name: string): ApiError => {
  const message = `tool_choice.tools: expected names of tools, got ${JSON.stringify(name)}`;
  return new ApiError('invalid_value', message, { param: 'tool_choice.tools' });
};
