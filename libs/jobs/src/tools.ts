import { Type, type Static } from 'typebox';

/** A function of the caller's that the model may ask for. */
export const ToolFunction = Type.Object({
  name: Type.String({ minLength: 1 }),
  description: Type.Optional(Type.String()),
  /** JSON schema of its arguments. */
  parameters: Type.Unknown(),
});
export type ToolFunction = Static<typeof ToolFunction>;

/** What the model may call, and whether it has to. */
export const JobTools = Type.Object({
  functions: Type.Array(ToolFunction, { minItems: 1 }),
  /** `auto`: as it sees fit; `required`: at least one; else the one of this name. */
  choice: Type.Union([
    Type.Literal('auto'),
    Type.Literal('required'),
    Type.Object({ name: Type.String({ minLength: 1 }) }),
  ]),
  /** Whether one answer may hold several calls. */
  parallel: Type.Boolean(),
});
export type JobTools = Static<typeof JobTools>;

export const ToolCall = Type.Object({
  id: Type.String(),
  name: Type.String(),
  /** JSON in text, as the model wrote it. */
  arguments: Type.String(),
});
export type ToolCall = Static<typeof ToolCall>;
