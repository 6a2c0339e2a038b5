import type { Submission } from '../../core/accept/submission.ts';
import {
  CHAT_FIELDS_IN_RESPONSES,
  refuseForeign,
  refuseUnsupported,
  UNSUPPORTED_IN_RESPONSES,
} from '../../core/accept/unsupported-fields.ts';
import type { ResponseNotes } from '../../core/jobs/api-notes.ts';
import type { ResponseContext } from './context.ts';
import { responseFieldName } from './field-names.ts';
import { responseMessages } from './messages.ts';
import { ApiError } from '../../http/errors.ts';
import type { ResponseFormat } from '../../core/accept/format-schema.ts';
import { SAMPLING_FIELDS, type ResponseBody, type TextFormat } from './schema.ts';
import { ANSWER_WITHIN_S } from '../../core/streams/await-answer.ts';
import { priorityOf } from '../../core/limits/priority.ts';
import { idempotencyOf } from '../../http/idempotency.ts';
import type { RequestFacts } from '../../http/request-facts.ts';
import { traceparentOf } from '../../http/traceparent.ts';
import { responseTools } from './tool-schema.ts';

/** A `POST /v1/responses` as the acceptor takes it. Throws for what contradicts itself. */
export function responseSubmission(
  request: RequestFacts,
  body: ResponseBody,
  context: ResponseContext,
): Submission {
  refuseUnasked(body);
  const background = body.background ?? false;
  const placed = responseMessages(body, context);
  return {
    requestId: request.id,
    tenant: request.tenant,
    memory: request.memory,
    model: body.model ?? context.previous?.request.model,
    messages: placed.map(({ message }) => message),
    sampling: samplingOf(body),
    tools: responseTools(body),
    template: templateOf(body),
    fieldName: (field) => responseFieldName(field, placed),
    returnTokenIds: false,
    priority: priorityOf(body.priority, request.tenant),
    startWithinS: null,
    finishWithinS: background ? null : ANSWER_WITHIN_S,
    notes: { kind: 'response', response: notesOf(body) },
    receivedAtMs: request.receivedAtMs,
    traceparent: traceparentOf(request),
    idempotency: idempotencyOf(request, 'response'),
    ...(body.metadata === undefined ? {} : { metadata: body.metadata }),
  };
}

function refuseUnasked(body: ResponseBody): void {
  const nested = { ...prefixed('text', body.text), ...prefixed('reasoning', body.reasoning) };
  refuseUnsupported({ ...body, ...nested }, UNSUPPORTED_IN_RESPONSES);
  refuseForeign(body, CHAT_FIELDS_IN_RESPONSES);
  if (body.background !== true || body.store !== false) return;
  throw new ApiError('invalid_value', 'store: expected true with background: true, got false', {
    param: 'store',
  });
}

const prefixed = (name: string, fields: object = {}): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).map(([field, value]) => [`${name}.${field}`, value]));

const notesOf = (body: ResponseBody): ResponseNotes => ({
  instructions: body.instructions ?? null,
  previousResponseId: body.previous_response_id ?? null,
  background: body.background ?? false,
  store: body.store ?? true,
  format: body.text?.format ?? { type: 'text' },
  maxOutputTokens: body.max_output_tokens ?? null,
  ...(body.tool_choice === undefined ? {} : { toolChoice: body.tool_choice }),
  ...(body.reasoning?.effort === undefined ? {} : { reasoningEffort: body.reasoning.effort }),
  ...(body.include?.includes('reasoning.encrypted_content') ? { sealsReasoning: true } : {}),
});

function samplingOf(body: ResponseBody): Submission['sampling'] {
  const { max_output_tokens: max, top_logprobs: top, include, text } = body;
  const withLogprobs =
    top !== undefined || include?.includes('message.output_text.logprobs') === true;
  const asked = SAMPLING_FIELDS.filter((field) => body[field] !== undefined);
  const format = text?.format ?? undefined;
  return {
    ...Object.fromEntries(asked.map((field) => [field, body[field]])),
    ...(max === undefined ? {} : { max_tokens: max }),
    ...(withLogprobs ? { logprobs: true, top_logprobs: top ?? 0 } : {}),
    ...(format === undefined ? {} : { response_format: responseFormat(format) }),
  };
}

function responseFormat(format: TextFormat): ResponseFormat {
  if (format.type !== 'json_schema') return format;
  const { name, schema, strict = null } = format;
  return { type: 'json_schema', json_schema: { name, schema, strict } };
}

function templateOf(body: ResponseBody): NonNullable<Submission['template']> {
  const { enable_thinking: thinking, chat_template_kwargs: given } = body;
  const effort = body.reasoning?.effort ?? undefined;
  return {
    ...(effort === undefined ? {} : { reasoning_effort: effort }),
    ...(thinking === undefined ? {} : { enable_thinking: thinking }),
    ...(given === undefined ? {} : { chat_template_kwargs: given }),
  };
}
