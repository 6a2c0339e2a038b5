import type { JobRequest, JobTools, Sampling } from '@epd/jobs';
import type { OutputFormat, ToolCallFormat } from '@epd/model';

/**
 * A request's sampling, constrained to the model's call format if it has tools. A schema beside them holds for
 * the answer that is given in place of calls.
 */
export const effectiveSampling = (
  { sampling, tools }: Pick<JobRequest, 'sampling' | 'tools'>,
  { toolCalls }: OutputFormat,
): Sampling => (tools === undefined ? sampling : withCalls(sampling, tools, toolCalls));

/** Whether the answer has its constraint from the first token on: then the model cannot think first. */
export const beginsConstrained = ({ constraint }: Sampling): boolean =>
  constraint !== undefined && !(constraint.type === 'tagged' && constraint.freeText);

/**
 * Only calls if they are required; otherwise free text in which text that begins as a call must be
 * one. Arguments follow their function's schema.
 */
function withCalls(sampling: Sampling, tools: JobTools, format: ToolCallFormat): Sampling {
  const { choice, parallel, functions } = tools;
  const callable =
    typeof choice === 'string' ? functions : functions.filter(({ name }) => name === choice.name);
  const { opener, head, middle, tail, separator } = format;
  const { constraint: asked } = sampling;
  const instead = choice === 'auto' && asked?.type === 'json' ? asked : undefined;
  return {
    ...sampling,
    constraint: {
      type: 'tagged',
      tags: callable.map(({ name, parameters }) => ({
        begin: `${opener}${head}${name}${middle}`,
        schema: parameters,
        end: tail,
      })),
      freeText: choice === 'auto' && instead === undefined,
      opener,
      least: choice === 'auto' ? 0 : 1,
      most: parallel && typeof choice === 'string' ? null : 1,
      separator,
      ...(instead === undefined ? {} : { instead }),
    },
  };
}
