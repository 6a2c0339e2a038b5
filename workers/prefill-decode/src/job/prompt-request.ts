import { isFrame } from '@epd/connector';
import type { JobRequest, Sampling } from '@epd/jobs';
import type { PromptTool } from '@epd/model';
import type { PromptRequest } from '../prompt/messages.ts';
import { beginsConstrained } from './effective-sampling.ts';

/** The input for building the prompt of a job. */
export function promptRequest(request: JobRequest, sampling: Sampling): PromptRequest {
  const { messages, images, raw = false, tools, templateOptions } = request;
  return {
    messages,
    images: images.map(({ input }) => ({
      width: input.width,
      height: input.height,
      isFrame: isFrame(input),
    })),
    raw,
    withoutReasoning: beginsConstrained(sampling),
    ...(tools === undefined ? {} : { tools: tools.functions.map(asTemplatesKnowIt) }),
    ...(templateOptions === undefined ? {} : { options: templateOptions }),
  };
}

const asTemplatesKnowIt = ({
  name,
  description,
  parameters,
}: NonNullable<JobRequest['tools']>['functions'][number]): PromptTool => ({
  type: 'function',
  function: { name, ...(description === undefined ? {} : { description }), parameters },
});
