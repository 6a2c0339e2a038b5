import type { Constraint, ConstraintLimits, JsonConstraint } from '@epd/constraint';
import type { JobTools } from '@epd/jobs';
import { ApiError } from '../../http/errors.ts';
import { refuseUnholdable } from './constraint.ts';
import type { SamplingBody } from './sampling-schema.ts';
import type { ToolBody } from './tools-schema.ts';

/** Tools as a protocol's body asks for them, each with the field that names it in errors. */
export interface AskedTools {
  readonly functions: readonly AskedFunction[];
  readonly choice: 'none' | 'auto' | 'required' | { readonly name: string };
  readonly parallel: boolean;
}

interface AskedFunction {
  readonly name: string;
  readonly description?: string | undefined;
  readonly parameters?: Readonly<Record<string, unknown>> | null | undefined;
  /** Such as `tools[0].function`. */
  readonly field: string;
}

/** The tools of a chat body. */
export function askedTools({
  tools = [],
  tool_choice: choice = 'auto',
  parallel_tool_calls: parallel = true,
}: ToolBody): AskedTools {
  return {
    functions: tools.map(({ function: { name, description, parameters } }, index) => ({
      name,
      description,
      parameters,
      field: `tools[${index}].function`,
    })),
    choice: typeof choice === 'string' ? choice : { name: choice.function.name },
    parallel,
  };
}

/**
 * What the model may call; undefined: nothing. `constraint` is what the answer is held to by itself. Throws `ApiError` for schemas that no worker can hold arguments
 * to, and for what cannot go with tools.
 */
export function toTools(
  { functions, choice, parallel }: AskedTools,
  sampling: SamplingBody,
  constraint: Constraint | undefined,
  limits: ConstraintLimits,
): JobTools | undefined {
  checkChoice(functions, choice);
  if (functions.length === 0 || choice === 'none') return undefined;
  refuseBeside(sampling);
  const instead = insteadOfCalls(sampling, constraint);
  const names = new Set<string>();
  const checked = functions.map((asked) => {
    if (names.has(asked.name))
      throw invalid(`${asked.field}.name`, 'a name of its own', JSON.stringify(asked.name));
    names.add(asked.name);
    return checkedFunction(asked, limits);
  });
  refuseUnholdable(
    {
      type: 'tagged',
      tags: checked.map(({ name, parameters }) => tag(name, parameters)),
      ...ANY,
      ...(instead === undefined ? {} : { instead }),
    },
    'tools',
    limits,
  );
  return { functions: checked, choice, parallel };
}

/** How calls are marked is the model's; it makes no difference to what can be held to. */
const tag = (name: string, schema: unknown) => ({ begin: `<${name}>`, schema, end: '</>' });
const ANY = { freeText: false, least: 1, most: null, separator: '' };

/** A function that names no parameters has none. */
const NO_ARGUMENTS: Readonly<Record<string, unknown>> = {
  properties: {},
  additionalProperties: false,
};

function checkedFunction(
  { name, description, parameters, field }: AskedFunction,
  limits: ConstraintLimits,
): JobTools['functions'][number] {
  const { type = 'object', ...rest } = parameters ?? NO_ARGUMENTS;
  if (type !== 'object')
    throw invalid(`${field}.parameters.type`, '"object"', JSON.stringify(type));
  const schema = { type: 'object', ...rest };
  refuseUnholdable({ type: 'json', schema, ordered: false }, `${field}.parameters`, limits);
  return { name, ...(description === undefined ? {} : { description }), parameters: schema };
}

function checkChoice(functions: AskedTools['functions'], choice: AskedTools['choice']): void {
  if (choice === 'none' || choice === 'auto') return;
  if (functions.length === 0) throw invalid('tool_choice', 'tools beside it', 'none');
  if (choice === 'required' || functions.some(({ name }) => name === choice.name)) return;
  const names = JSON.stringify(functions.map(({ name }) => name));
  throw invalid('tool_choice', `one of ${names}`, JSON.stringify(choice.name));
}

/** The schema of an answer in place of calls. Text that is not JSON could hold the mark of a call. */
function insteadOfCalls(
  sampling: SamplingBody,
  constraint: Constraint | undefined,
): JsonConstraint | undefined {
  if (constraint === undefined || constraint.type === 'json') return constraint;
  const { guided_regex: regex, guided_choice: choice } = sampling;
  const field = regex ? 'guided_regex' : choice ? 'guided_choice' : 'structured_outputs';
  throw invalid(field, 'a JSON schema, or no tools beside it', constraint.type);
}

/** An answer with calls ends where it is whole. */
function refuseBeside(sampling: SamplingBody): void {
  if (sampling.ignore_eos === true) throw invalid('ignore_eos', 'false with tools', 'true');
  const { min_tokens: minTokens = 0 } = sampling;
  if (minTokens > 0) throw invalid('min_tokens', '0 with tools', String(minTokens));
}

const invalid = (param: string, expected: string, got: string): ApiError =>
  new ApiError('invalid_value', `${param}: expected ${expected}, got ${got}`, { param });
