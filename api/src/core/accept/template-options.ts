import type { ModelCard } from '@epd/fleet';
import { Type, type Static } from 'typebox';
import { ApiError } from '../../http/errors.ts';

const Value = Type.Union([Type.String(), Type.Number(), Type.Boolean()]);
const MAX_OPTIONS = 32;

/** What is for the model's chat template: OpenAI's field, and vLLM's. */
export const TemplateFields = {
  reasoning_effort: Type.Optional(
    Type.Union(
      ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'].map((effort) => Type.Literal(effort)),
    ),
  ),
  enable_thinking: Type.Optional(Type.Boolean()),
  chat_template_kwargs: Type.Optional(
    Type.Record(Type.String({ minLength: 1, maxLength: 100 }), Value, {
      maxProperties: MAX_OPTIONS,
    }),
  ),
};

const TemplateBody = Type.Object(TemplateFields);
export type TemplateBody = Static<typeof TemplateBody>;
export type TemplateOptions = Readonly<Record<string, Static<typeof Value>>>;

/** Arguments of the template; undefined: none. Throws `ApiError` for those that the model's does not read. */
export function toTemplateOptions(
  {
    reasoning_effort: effort,
    enable_thinking: thinking,
    chat_template_kwargs: given,
  }: TemplateBody,
  { templateOptions: known = [] }: Pick<ModelCard, 'templateOptions'>,
): TemplateOptions | undefined {
  const options: Record<string, Static<typeof Value>> = {};
  for (const [name, value] of Object.entries(given ?? {})) {
    if (!known.includes(name)) throw unread(`chat_template_kwargs.${name}`, known);
    options[name] = value;
  }
  if (thinking !== undefined) {
    if (!known.includes('enable_thinking')) throw unread('enable_thinking', known);
    options['enable_thinking'] = thinking;
  }
  if (effort !== undefined) Object.assign(options, ofEffort(effort, known));
  return Object.keys(options).length === 0 ? undefined : options;
}

/** Templates that know no degrees know whether. A model that does not think does so at no effort. */
function ofEffort(effort: string, known: readonly string[]): TemplateOptions {
  if (known.includes('reasoning_effort')) return { reasoning_effort: effort };
  if (known.includes('enable_thinking')) return { enable_thinking: effort !== 'none' };
  if (effort === 'none' || effort === 'minimal') return {};
  throw unread('reasoning_effort', known);
}

function unread(param: string, known: readonly string[]): ApiError {
  const reads = known.length === 0 ? 'none' : known.join(', ');
  const message = `${param}: is not supported by this model, whose template reads ${reads}`;
  return new ApiError('unsupported_parameter', message, { param });
}
