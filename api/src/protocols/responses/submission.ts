import type { Job } from '@epd/jobs';
import type { Submission } from '../../core/accept/submission.ts';
import {
  refuseUnsupported,
  UNSUPPORTED_IN_RESPONSES,
} from '../../core/accept/unsupported-fields.ts';
import { responseMessages } from './messages.ts';
import { ApiError } from '../../http/errors.ts';
import type { ResponseFormat } from '../../core/accept/format-schema.ts';
import type { ResponseBody, TextFormat } from './schema.ts';
import { ANSWER_WITHIN_S } from '../../core/streams/await-answer.ts';
import { priorityOf } from '../../core/limits/priority.ts';
import { idempotencyOf } from '../../http/idempotency.ts';
import type { RequestFacts } from '../../http/request-facts.ts';
import { traceparentOf } from '../../http/traceparent.ts';

/** A `POST /v1/responses` as the acceptor takes it. Throws for what contradicts itself. */
export function responseSubmission(
  request: RequestFacts,
  body: ResponseBody,
  previous: Job | null,
): Submission {
  refuseUnsupported(body, UNSUPPORTED_IN_RESPONSES);
  const background = body.background ?? false;
  const store = body.store ?? true;
  if (background && !store) {
    throw new ApiError('invalid_value', 'store: expected true with background: true, got false', {
      param: 'store',
    });
  }
  return {
    requestId: request.id,
    tenant: request.tenant,
    model: body.model ?? previous?.request.model,
    messages: responseMessages(body, previous),
    sampling: samplingOf(body),
    formatField: 'text.format',
    returnTokenIds: false,
    priority: priorityOf(body.priority, request.tenant),
    startWithinS: null,
    finishWithinS: background ? null : ANSWER_WITHIN_S,
    notes: { kind: 'response', response: notesOf(body, background, store) },
    receivedAtMs: request.receivedAtMs,
    traceparent: traceparentOf(request),
    idempotency: idempotencyOf(request, 'response'),
    ...(body.metadata === undefined ? {} : { metadata: body.metadata }),
  };
}

const notesOf = (body: ResponseBody, background: boolean, store: boolean) => ({
  instructions: body.instructions ?? null,
  previousResponseId: body.previous_response_id ?? null,
  background,
  store,
  format: body.text?.format ?? { type: 'text' },
  maxOutputTokens: body.max_output_tokens ?? null,
});

function samplingOf(body: ResponseBody): Submission['sampling'] {
  const { max_output_tokens: max, top_logprobs: top, include, text } = body;
  const withLogprobs =
    top !== undefined || include?.includes('message.output_text.logprobs') === true;
  return {
    ...pick(body),
    ...(max === undefined ? {} : { max_tokens: max }),
    ...(withLogprobs ? { logprobs: true, top_logprobs: top ?? 0 } : {}),
    ...(text?.format === undefined ? {} : { response_format: responseFormat(text.format) }),
  };
}

const pick = ({ temperature, top_p, seed, stop }: ResponseBody): Submission['sampling'] => ({
  ...(temperature === undefined ? {} : { temperature }),
  ...(top_p === undefined ? {} : { top_p }),
  ...(seed === undefined ? {} : { seed }),
  ...(stop === undefined ? {} : { stop }),
});

function responseFormat(format: TextFormat): ResponseFormat {
  if (format.type !== 'json_schema') return format;
  const { name, schema, strict = null } = format;
  return { type: 'json_schema', json_schema: { name, schema, strict } };
}
