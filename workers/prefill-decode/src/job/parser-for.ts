import type { Job, Sampling } from '@epd/jobs';
import type { OutputFormat } from '@epd/model';
import type { EngineRequest } from '../engine/index.ts';
import { MarkupParser } from '../engine/text/markup-parser.ts';
import { beginsConstrained } from './effective-sampling.ts';

/** Null: all of the answer is content. */
export function parserFor(
  { id, request }: Job,
  sampling: Sampling,
  format: OutputFormat,
  opensReasoning: boolean,
): NonNullable<EngineRequest['parser']> | null {
  const toolCalls = request.tools === undefined ? null : format.toolCalls;
  const thinks = request.raw !== true && !beginsConstrained(sampling);
  const reasoning = thinks ? format.reasoning : null;
  if (toolCalls === null && reasoning === null) return null;
  return (choice) =>
    new MarkupParser({
      toolCalls,
      callsOrContent: isCallsOrContent(sampling),
      reasoning,
      opensReasoning,
      callId: (index) => callId(id, choice, index),
    });
}

const isCallsOrContent = ({ constraint }: Sampling): boolean =>
  constraint?.type === 'tagged' && constraint.instead !== undefined;

/** A resumed answer gives its calls the same ids. */
const callId = (jobId: string, choice: number, index: number): string =>
  `call_${jobId.slice('job_'.length)}${choice === 0 ? '' : `_${choice}`}_${index}`;
